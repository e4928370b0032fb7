"""What a page is given of the UMAP, unpacked."""

import base64

import anndata
import numpy as np
import pandas as pd
import pytest

from sthelar_build.errors import InputError
from sthelar_build.io.counts import write_h5ad
from sthelar_build.io.provenance import provenance
from sthelar_build.io.slide_report import umap
from sthelar_build.io.slide_report.umap import shown_umap

IDS = ["a", "b", "c", "d"]
LABELS = pd.DataFrame(
    {
        "cell_id": ["d", "c", "b", "a", "poor"],
        "final_label": ["Epithelial", "Epithelial", "T_NK", "T_NK", "Other"],
        "confidence": [1.0, 0.5, 0.0, 1.0, 0.0],
        "cluster": ["10", "2", "2", "2", None],
    }
)
EVIDENCE = pd.DataFrame({"cluster": ["2", "10"], "final_label": ["T_NK", "Epithelial"]})


@pytest.fixture
def clusters(tmp_path):
    table = anndata.AnnData(obs=pd.DataFrame({"cell_id": IDS}, index=IDS))
    table.obsm["X_umap"] = np.array([[0, 0], [1, 0], [2, 0], [2, 2]], dtype=np.float32)
    write_h5ad(tmp_path / "clusters.h5ad", table, provenance("test"))
    return tmp_path / "clusters.h5ad"


def unpacked(text, kind):
    return np.frombuffer(base64.b64decode(text), kind)


def test_every_point_has_the_cluster_class_and_confidence_of_its_cell(clusters):
    found = shown_umap(clusters, LABELS, EVIDENCE, most=10)
    places = unpacked(found.places, "<u2").reshape(-1, 2)
    clusters_of = [found.clusters[k].name for k in unpacked(found.cluster, "<u2")]
    classes = [found.classes[k].name for k in unpacked(found.cell_class, "u1")]
    points = zip(
        map(tuple, places.tolist()), clusters_of, classes, unpacked(found.confidence, "u1").tolist(), strict=True
    )  # fmt: skip
    assert sorted(points) == [
        ((0, 65535), "2", "T_NK", 254),
        ((32768, 65535), "2", "T_NK", 0),
        ((65535, 0), "10", "Epithelial", 254),
        ((65535, 65535), "2", "Epithelial", 127),
    ]


def test_legends_count_all_cells_and_tell_what_was_decided(clusters):
    found = shown_umap(clusters, LABELS, EVIDENCE, most=10)
    assert [(g.name, g.n_cells, g.class_name) for g in found.clusters] == [
        ("2", 3, "T_NK"),
        ("10", 1, "Epithelial"),
    ]
    assert [(g.name, g.n_cells) for g in found.classes] == [("T_NK", 2), ("Epithelial", 2)]


def test_a_sample_has_cells_of_every_cluster(clusters, monkeypatch):
    monkeypatch.setattr(umap, "_LEAST_OF_A_CLUSTER", 1)
    found = umap.shown_umap(clusters, LABELS, EVIDENCE, most=1)
    assert found.n_cells == 4
    assert found.n_drawn < 4
    assert set(unpacked(found.cluster, "<u2").tolist()) == {0, 1}


def test_without_clustered_cells_there_is_nothing_to_show(clusters):
    assert shown_umap(clusters, LABELS.assign(cluster=None), EVIDENCE, most=10) is None


def test_a_table_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "clusters.h5ad").write_bytes(b"no")
    with pytest.raises(InputError, match="run cluster again"):
        shown_umap(tmp_path / "clusters.h5ad", LABELS, EVIDENCE, most=10)
