"""Two clear clusters and one cell that is not among them: what is decided."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sthelar_build.core.clusters import ClusteredCells, Clustering
from sthelar_build.core.purity import Near
from sthelar_build.core.scores import Scores
from sthelar_build.core.slide_labels import Case, LabelRule, label_slide, opinions, top_genes
from sthelar_build.schema.tables import EVIDENCE, LABELS
from sthelar_build.schema.vocabulary import find

T_GENES = ["CD3D", "CD3E", "CD2", "TRAC", "IL7R"]
MACROPHAGE_GENES = ["CD68", "CD163", "C1QA", "C1QB", "CD14"]
BACKGROUND = [f"BG{number}" for number in range(8)]
GENES = T_GENES + MACROPHAGE_GENES + BACKGROUND
ATLAS = ["T", "Macrophage"]
CELL_IDS = [f"c{number}" for number in range(8)]
CLUSTERS = np.repeat([0, 1], 4)
RULE = LabelRule(10, 1.0, 0.5, 0.6, 2.0, 0.5, 0.98, 2)
NEAR = Near(np.arange(8), np.array([1, 0, 3, 2, 5, 4, 7, 6])[:, None])


@pytest.fixture
def case():
    counts = np.full((8, len(GENES)), 4.0)
    counts[:4, 5:10], counts[4:, :5] = 0, 0
    counts[:4, :5], counts[4:, 5:10] = 20, 20
    clustering = Clustering(pd.Index(CELL_IDS), CLUSTERS, ["0", "1"])
    shares = np.array([[0.9, 0.1]] * 4 + [[0.1, 0.9]] * 4, dtype=np.float32)
    nucleus_ids = np.arange(1, 9, dtype=np.uint32)
    return Case(
        cells=ClusteredCells(clustering, sp.csr_matrix(counts), GENES),
        nuclei=clustering,
        nucleus_ids=pd.Index(nucleus_ids),
        combined=clustering,
        near=NEAR,
        cell_scores=Scores("cell_id", np.array(CELL_IDS, dtype=object), ATLAS, shares),
        nucleus_scores=Scores("nucleus_id", nucleus_ids, ATLAS, shares),
        entries={label: find(label) for label in ATLAS},
        tissue="Breast",
        condition="cancer",
    )


def decided(case):
    return label_slide(case, RULE, pd.Series([*CELL_IDS, "lonely"]))


def test_every_cell_and_every_cluster_has_a_row(case):
    found = decided(case)
    assert found.labels.columns.tolist() == LABELS.names
    assert found.evidence.columns.tolist() == EVIDENCE.names
    assert found.labels["final_label"].tolist() == ["T_NK"] * 4 + ["Myeloid"] * 4 + ["Other"]
    assert found.labels["decided_by"].tolist() == ["agreement"] * 8 + ["low_count"]
    assert {kind.class_name for kind in found.markers.types} == {"T_NK", "Myeloid"}


def test_four_opinions_speak_for_a_cell(case):
    shapes = {part.shape for part in opinions(case)}
    assert len(opinions(case)) == 4
    assert shapes == {(8, 10)}


def test_genes_that_set_a_cluster_apart_come_first(case):
    first, second = top_genes(case.cells)
    assert set(first[:5]) == set(T_GENES)
    assert set(second[:5]) == set(MACROPHAGE_GENES)


def merged(case):
    """Return the case with all cells in one cluster."""
    one = Clustering(pd.Index(CELL_IDS), np.zeros(8, dtype=np.intp), ["7"])
    # Ten cells of background in a cluster of their own: markers rise above what is usual on a slide.
    counts = np.full((10, len(GENES)), 4.0)
    counts[:, :10] = 0
    cells = ClusteredCells(
        Clustering(
            one.cell_ids.append(pd.Index([f"b{n}" for n in range(10)])),
            np.repeat([0, 1], [8, 10]).astype(np.intp),
            ["7", "8"],
        ),
        sp.csr_matrix(sp.vstack([case.cells.counts, sp.csr_matrix(counts)])),
        GENES,
    )
    return replace(case, cells=cells)


def test_an_over_merged_cluster_has_a_row_and_a_name_for_each_part(case):
    found = decided(merged(case))
    rows = found.evidence.set_index("cluster")
    assert rows.index.tolist() == ["7.1", "7.2", "8"]
    assert rows["parent"].tolist() == ["7", "7", None]
    assert rows["n_cells"].tolist() == [4, 4, 10]
    assert rows["final_label"].tolist() == ["T_NK", "Myeloid", "Other"]
    assert found.labels["cluster"].tolist()[:8] == ["7.1"] * 4 + ["7.2"] * 4
    assert found.clustering.names == ["7.1", "7.2", "8"]


def test_the_evidence_says_how_pure_a_cluster_is(case):
    rows = decided(merged(case)).evidence
    assert rows["purity"].tolist()[:2] == [1, 1]
    assert np.isnan(rows["purity"][2])
    assert rows["neighbour_purity"].tolist()[:2] == [1, 1]


def test_a_whole_cluster_comes_from_none(case):
    assert decided(case).evidence["parent"].tolist() == [None, None]
