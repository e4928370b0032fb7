"""From scores, clusters and markers to the labels of every cell."""

import json
from dataclasses import dataclass
from pathlib import Path

import anndata
import geopandas
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sthelar_build.core.scores import Scores
from sthelar_build.core.transfer import Transfer
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.scores import read_scores, write_scores
from sthelar_build.io.tables import read_attributes, read_provenance, read_table, write_table
from sthelar_build.io.transform import Transform, write_transform
from sthelar_build.schema.frames import Affine, Frame
from sthelar_build.schema.tables import CELLS, EVIDENCE, LABELS, OVERRIDES
from sthelar_build.settings.refine import RefineSettings
from sthelar_build.stages.refine import run

T_GENES = ["CD3D", "CD3E", "CD2", "TRAC", "IL7R"]
LUMINAL_GENES = ["EPCAM", "KRT8", "KRT18", "KRT19", "ANKRD30A", "ESR1", "GATA3"]
MACROPHAGE_GENES = ["CD68", "CD163", "C1QA", "C1QB", "CD14"]
BACKGROUND = [f"BG{number}" for number in range(8)]
GENES = T_GENES + LUMINAL_GENES + MACROPHAGE_GENES + BACKGROUND
OWN_GENES = [T_GENES, LUMINAL_GENES, MACROPHAGE_GENES, BACKGROUND[:0]]
LABELS_OF_ATLAS = ["T cells", "mammary_luminal", "Macrophage"]

# 20 cells of each of four clusters, and two cells with few transcripts. The last cell of cluster 0 is
# luminal. Tangram takes cluster 2 for T; cluster 3 has neither markers nor a majority.
KIND = np.repeat([0, 1, 2, 3], 20)
KIND_OF_CELL = np.where(np.arange(80) == 19, 1, KIND)
SCORES = {0: [0.9, 0.05, 0.05], 1: [0.05, 0.9, 0.05], 2: [0.7, 0.1, 0.2]}


@dataclass
class Slide:
    folder: Path

    @property
    def labels(self):
        return read_table(self.folder / "labels.parquet", LABELS)

    @property
    def evidence(self):
        return read_table(self.folder / "evidence.parquet", EVIDENCE)

    def refine(self, settings=None, **options):
        inputs = {
            name: self.folder / f"{name}.{suffix}"
            for name, suffix in [
                ("cells", "parquet"),
                ("counts_cells", "h5ad"),
                ("tangram_cells", "parquet"),
                ("tangram_nuclei", "parquet"),
                ("clusters_cells", "h5ad"),
                ("clusters_nuclei", "h5ad"),
                ("clusters_combined", "h5ad"),
            ]
        }
        outputs = {
            name: self.folder / f"{name}.parquet" for name in ("labels", "evidence", "overrides")
        }
        run(
            **inputs,
            **outputs,
            pictures=self.folder / "refine",
            tissue="Breast",
            condition="cancer",
            settings=settings or RefineSettings(),
            **options,
        )


def counts():
    rng = np.random.default_rng(0)
    rates = np.full((82, len(GENES)), 0.05)
    rates[:, -len(BACKGROUND) :] = 4
    for cell, kind in enumerate(KIND_OF_CELL):
        rates[cell, [GENES.index(gene) for gene in OWN_GENES[kind]]] = 8
    rates[80:] = 0.1
    return rng.poisson(rates).astype(np.float32)


def shares(n):
    rng = np.random.default_rng(1)
    rows = [SCORES.get(kind, rng.dirichlet([1, 1, 1])) for kind in KIND_OF_CELL]
    return np.array([*rows, [1 / 3] * 3, [np.nan] * 3][:n], dtype=np.float32)


def clusters(path, ids, nucleus=False):
    obs = pd.DataFrame(
        {"cell_id": ids[:80], "leiden_0.5": pd.Categorical(np.where(KIND == 3, "1", "0"))}
    )
    obs["leiden_2"] = pd.Categorical(KIND.astype(str))
    if nucleus:
        obs["nucleus_id"] = np.arange(1, 81, dtype=np.uint32)
    obs.index = obs.index.astype(str)
    umap = np.random.default_rng(0).normal(KIND[:, None] * [3, 1], 0.5).astype(np.float32)
    anndata.AnnData(obs=obs, obsm={"X_umap": umap, "X_pca": umap}).write_h5ad(path)


@pytest.fixture
def slide(tmp_path):
    ids = np.array([f"cell-{number}" for number in range(82)], dtype=object)
    plain = dict.fromkeys(["area_um2", "nucleus_area_um2"], 50.0)
    cells = geopandas.GeoDataFrame(
        {
            "cell_id": ids,
            "cell_number": np.arange(1, 83, dtype=np.uint32),
            "x_um": np.arange(82.0),
            "y_um": np.arange(82.0) % 9,
            **plain,
            "nucleus_count": np.ones(82, np.uint16),
            "segmentation_method": None,
            "repaired": False,
        },
        geometry=geopandas.points_from_xy(np.arange(82.0), np.arange(82.0)),
    )
    write_table(tmp_path / "cells.parquet", cells, CELLS, {})
    obs, var = pd.DataFrame({"cell_id": ids}, index=ids), pd.DataFrame(index=GENES)
    anndata.AnnData(sp.csr_matrix(counts()), obs, var).write_h5ad(tmp_path / "counts_cells.h5ad")
    classes = {"T cells": "T_NK", "mammary_luminal": "Epithelial", "Macrophage": "Myeloid"}
    of_cells = Scores("cell_id", ids, LABELS_OF_ATLAS, shares(82))
    write_scores(tmp_path / "tangram_cells.parquet", of_cells, classes, {})
    of_nuclei = Scores("nucleus_id", np.arange(1, 81, dtype=np.uint32), LABELS_OF_ATLAS, shares(80))
    write_scores(tmp_path / "tangram_nuclei.parquet", of_nuclei, classes, {})
    clusters(tmp_path / "clusters_cells.h5ad", ids)
    clusters(tmp_path / "clusters_combined.h5ad", ids)
    clusters(tmp_path / "clusters_nuclei.h5ad", ids, nucleus=True)
    return Slide(tmp_path)


def test_each_cluster_is_decided_as_the_rule_says(slide):
    slide.refine()
    found = slide.evidence.set_index("cluster")
    assert found["decided_by"].to_dict() == {
        "0": "agreement",
        "1": "agreement",
        "2": "markers",
        "3": "neither",
    }
    assert found["final_label"].tolist() == ["T_NK", "Epithelial", "Myeloid", "Other"]
    assert found["label3"].tolist() == ["normal_cell", "cancer_cell", "normal_cell", None]
    assert found.loc["2", ["tangram_class", "marker_label"]].tolist() == ["T_NK", "Macrophage"]
    assert set(found.loc["0", "top_genes"].split(",")[:5]) == set(T_GENES)


def test_every_cell_of_the_bundle_has_a_row(slide):
    slide.refine()
    found = slide.labels
    assert found["cell_id"].tolist() == [f"cell-{number}" for number in range(82)]
    assert found["decided_by"].tolist()[80:] == ["low_count", "low_count"]
    assert found["label2"].tolist()[80:] == ["less10", "less10"]
    assert found["cluster"].tolist()[80:] == [None, None]
    assert found["confidence"].between(0, 1).all()


def test_a_cell_that_contradicts_its_cluster_leaves_it(slide):
    slide.refine()
    cell = slide.labels.iloc[19]
    assert (cell.cluster, cell.final_label, cell.label2, cell.decided_by) == (
        "0",
        "Epithelial",
        "mammary_luminal",
        "cell_evidence",
    )


def test_cells_stay_where_the_setting_says_so(slide):
    slide.refine(RefineSettings(cell_log_odds=None))
    assert slide.labels.iloc[19]["final_label"] == "T_NK"


HEAD = "target\tlabel\twho\twhen\twhy\tonly\n"
WHY = "A. P.\t2026-01-31\tlooks so"


def decide(slide, *lines):
    table = slide.folder / "curation.tsv"
    table.write_text(HEAD + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    return table


def test_the_key_of_the_evidence_decides_on_its_cluster(slide):
    slide.refine()
    before = slide.evidence.set_index("cluster")
    slide.refine(curation=decide(slide, f"{before.loc['3', 'cluster_key']}\tMast\t{WHY}\t"))
    found = slide.evidence.set_index("cluster")
    assert (slide.labels["final_label"] == "Myeloid")[60:80].all()
    assert (slide.labels["decided_by"] == "curation")[60:80].all()
    assert found.loc["3", "reason"] == "curated by A. P. on 2026-01-31: looks so"
    assert found["cluster_key"].tolist() == before["cluster_key"].tolist()
    overrides = read_table(slide.folder / "overrides.parquet", OVERRIDES)
    assert overrides[["target", "to_label"]].drop_duplicates().to_numpy().tolist() == [
        ["cluster 3", "Mast"]
    ]
    assert overrides["n_cells"].sum() == overrides["n_kept"].sum() == 20


def test_a_cluster_that_now_holds_other_cells_stops_the_run_and_leaves_nothing(slide):
    slide.refine()
    key = slide.evidence["cluster_key"].iloc[3]
    table = anndata.read_h5ad(slide.folder / "clusters_cells.h5ad")
    table.obs["leiden_2"] = pd.Categorical((KIND ^ 1).astype(str))
    table.write_h5ad(slide.folder / "clusters_cells.h5ad")
    for name in ("labels", "overrides"):
        (slide.folder / f"{name}.parquet").unlink()
    with pytest.raises(ConfigError, match=r"line 2: .* 100% of the old one are in cluster 2 now"):
        slide.refine(curation=decide(slide, f"{key}\tMast\t{WHY}\t"))
    assert not (slide.folder / "labels.parquet").exists()
    assert not (slide.folder / "overrides.parquet").exists()


def test_cells_and_regions_of_files_beside_the_table_are_named(slide):
    (slide.folder / "marked.csv").write_text(
        "#Selection name: a\n#Area\nCell ID,Cluster\ncell-0,1\n"
    )
    (slide.folder / "lasso.csv").write_text("X,Y\n39.5,-1\n43.5,-1\n43.5,99\n39.5,99\n")
    # The H&E is a quarter of the um, shifted by 10: the square holds the cells 4 to 6.
    square = [[[11, 0], [11.5, 0], [11.5, 9], [11, 9], [11, 0]]]
    drawn = {"geometry": {"type": "Polygon", "coordinates": square}, "properties": {"name": "n"}}
    (slide.folder / "drawn.geojson").write_text(json.dumps([drawn]))
    placed = Affine(np.array([[4.0, 0, -40], [0, 4, 0], [0, 0, 1]]), Frame.HE, Frame.MORPHOLOGY)
    write_transform(slide.folder / "transform.json", Transform(placed, "matrix", 30, 30, 1.0), {})
    table = decide(
        slide,
        f"cells:marked.csv\tB\t{WHY}\t",
        f"region:lasso.csv\tMast\t{WHY}\tMyeloid",
        f"region:drawn.geojson#n\tEndothelial\t{WHY}\t",
    )
    slide.refine(curation=table, transform=slide.folder / "transform.json")
    found = slide.labels
    assert np.flatnonzero(found["decided_by"] == "curation").tolist() == [
        0,
        4,
        5,
        6,
        *range(40, 44),
    ]
    assert found["final_label"].iloc[0] == "B_Plasma"
    assert (found["final_label"].iloc[4:7] == "Blood_vessel").all()
    assert (found["label2"].iloc[40:44] == "Mast").all()
    inputs = read_provenance(slide.folder / "labels.parquet")["inputs"]
    assert {"curation", "curation/marked.csv", "curation/lasso.csv", "transform"} <= set(inputs)


def test_without_decisions_the_table_of_overrides_is_empty(slide):
    slide.refine()
    assert read_table(slide.folder / "overrides.parquet", OVERRIDES).empty


def test_four_pictures_are_drawn_and_are_the_same_every_time(slide):
    slide.refine()
    pictures = sorted((slide.folder / "refine").iterdir())
    assert [p.name for p in pictures] == [
        "class_map.png",
        "dotplot.png",
        "umap_classes.png",
        "umap_clusters.png",
    ]
    before = [p.read_bytes() for p in pictures]
    slide.refine()
    assert [p.read_bytes() for p in pictures] == before


def test_a_resolution_that_was_not_made_is_refused(slide):
    with pytest.raises(
        ConfigError, match=r"expected the clustering leiden_3, found leiden_0.5, le"
    ):
        slide.refine(RefineSettings(resolution=3))
    assert not (slide.folder / "labels.parquet").exists()


def test_clusters_of_another_slide_are_refused(slide):
    table = anndata.read_h5ad(slide.folder / "clusters_cells.h5ad")
    table.obs["cell_id"] = [f"other-{number}" for number in range(80)]
    table.write_h5ad(slide.folder / "clusters_cells.h5ad")
    with pytest.raises(InputError, match="found 80 others"):
        slide.refine()


def test_a_slide_of_low_counts_only_is_all_other(slide):
    for name in ("cells", "nuclei", "combined"):
        path = slide.folder / f"clusters_{name}.h5ad"
        anndata.read_h5ad(path)[:0].copy().write_h5ad(path)
    slide.refine()
    assert slide.labels["final_label"].unique().tolist() == ["Other"]
    assert slide.evidence.empty


def test_a_cluster_of_three_types_is_taken_apart(slide):
    slide.refine(RefineSettings(resolution=0.5))
    found = slide.evidence.set_index("cluster")
    assert found["parent"].tolist() == ["0", "0", "0", None]
    assert set(found["final_label"]) == {"T_NK", "Epithelial", "Myeloid", "Other"}
    assert (slide.labels["final_label"] == "Epithelial")[[19, *range(20, 40)]].mean() > 0.9
    assert slide.labels["cluster"].dropna().isin(found.index).all()


def test_the_key_of_a_part_decides_on_the_part_alone(slide):
    coarse = RefineSettings(resolution=0.5)
    slide.refine(coarse)
    before = slide.evidence.set_index("cluster")
    part = before.index[0]
    line = f"{before.loc[part, 'cluster_key']}\tMast\t{WHY}\t"
    slide.refine(coarse, curation=decide(slide, line))
    inside = slide.labels["cluster"] == part
    assert (slide.labels["decided_by"] == "curation").tolist() == inside.tolist()


def test_the_key_of_a_cluster_that_was_taken_apart_since_stops_the_run(slide):
    whole = RefineSettings(resolution=0.5, min_cluster_purity=0)
    slide.refine(whole)
    key = slide.evidence["cluster_key"].iloc[0]
    with pytest.raises(
        ConfigError, match=r"cluster 0 as it was .* is gone; about .* in cluster 0\.\d"
    ):
        slide.refine(
            RefineSettings(resolution=0.5), curation=decide(slide, f"{key}\tMast\t{WHY}\t")
        )


def test_cells_of_one_kind_lie_together(slide):
    slide.refine()
    purity = slide.evidence.set_index("cluster")["neighbour_purity"]
    assert purity["1"] > purity["0"] * 0.8 > 0.5


def test_a_second_opinion_is_compared_with_the_labels_class_by_class(slide):
    path = slide.folder / "tangram_cells.parquet"
    scores = read_scores(path)
    said = np.array(LABELS_OF_ATLAS, dtype=object)[np.minimum(KIND_OF_CELL, 2)]
    said[:5] = "mammary_luminal"
    transfer = Transfer(np.append(said, [None, None]), np.full(82, 0.9, np.float32))
    classes = {"T cells": "T_NK", "mammary_luminal": "Epithelial", "Macrophage": "Myeloid"}
    write_scores(path, scores, classes, {}, transfer)
    slide.refine()
    found = read_attributes(slide.folder / "evidence.parquet")["second_opinion"]
    assert [row["class_name"] for row in found] == ["Epithelial", "Myeloid", "T_NK"]
    assert found[2] == {
        "class_name": "T_NK",
        "n_objects": 19,
        "share": pytest.approx(14 / 19),
        "rival": "Epithelial",
        "rival_share": pytest.approx(5 / 19),
    }


def test_without_a_second_opinion_there_is_nothing_to_compare(slide):
    slide.refine()
    assert read_attributes(slide.folder / "evidence.parquet")["second_opinion"] == []
