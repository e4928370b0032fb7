"""From scores, clusters and markers to the labels of every cell."""

from dataclasses import dataclass
from pathlib import Path

import anndata
import geopandas
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sthelar_build.config import RefineSettings
from sthelar_build.core.scores import Scores
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.scores import write_scores
from sthelar_build.io.tables import read_table, write_table
from sthelar_build.schema.tables import CELLS, EVIDENCE, LABELS
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
        outputs = {name: self.folder / f"{name}.parquet" for name in ("labels", "evidence")}
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
    obs = pd.DataFrame({"cell_id": ids[:80], "leiden_0.5": pd.Categorical(["0"] * 80)})
    obs["leiden_2"] = pd.Categorical(KIND.astype(str))
    if nucleus:
        obs["nucleus_id"] = np.arange(1, 81, dtype=np.uint32)
    obs.index = obs.index.astype(str)
    umap = np.random.default_rng(0).normal(KIND[:, None] * [3, 1], 0.5)
    anndata.AnnData(obs=obs, obsm={"X_umap": umap.astype(np.float32)}).write_h5ad(path)


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
    assert found["label3"].tolist() == ["normal_cell", "cancer_cell", "normal_cell", "normal_cell"]
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


def test_curation_comes_last(slide):
    curation = slide.folder / "curation.tsv"
    curation.write_text(
        "target\tlabel\twho\twhen\twhy\n"
        "cluster:3\tMast\tA. P.\t2026-01-31\tTPSAB1\n"
        "cell:cell-0\tB\tA. P.\t2026-01-31\tlooks so\n",
        encoding="utf-8",
    )
    slide.refine(curation=curation)
    found = slide.labels
    assert (found["final_label"] == "Myeloid")[60:80].all()
    assert found.iloc[0][["final_label", "decided_by"]].tolist() == ["B_Plasma", "curation"]
    assert slide.evidence["reason"].iloc[3] == "curated by A. P. on 2026-01-31: TPSAB1"


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
