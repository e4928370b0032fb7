"""Two clear clusters and one cell that is not among them: what is decided, and who has the last word."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sthelar_build.core.clusters import ClusteredCells, Clustering
from sthelar_build.core.label_tables import Curation, Decision
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
RULE = LabelRule(10, 1.0, 0.5, 0.6, 2.0, 0.5)


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
        cell_scores=Scores("cell_id", np.array(CELL_IDS, dtype=object), ATLAS, shares),
        nucleus_scores=Scores("nucleus_id", nucleus_ids, ATLAS, shares),
        entries={label: find(label) for label in ATLAS},
        tissue="Breast",
        condition="cancer",
    )


def decided(case, decisions=None):
    every_cell = pd.Series([*CELL_IDS, "lonely"])
    return label_slide(case, RULE, every_cell, decisions or Curation())


def test_every_cell_and_every_cluster_has_a_row(case):
    found = decided(case)
    assert found.labels.columns.tolist() == LABELS.names
    assert found.evidence.columns.tolist() == EVIDENCE.names
    assert found.labels["final_label"].tolist() == ["T_NK"] * 4 + ["Myeloid"] * 4 + ["Other"]
    assert found.labels["decided_by"].tolist() == ["agreement"] * 8 + ["low_count"]
    assert {kind.class_name for kind in found.markers.types} == {"T_NK", "Myeloid"}


def test_a_person_has_the_last_word_on_clusters_and_cells(case):
    mast = Decision(find("Mast"), "A. P.", "2026-01-31", "KIT")
    found = decided(case, Curation(clusters={"1": mast}, cells={"c0": mast}))
    assert found.labels["label2"].tolist() == ["Mast", *["T"] * 3, *["Mast"] * 4, "less10"]
    assert found.evidence["decided_by"].tolist() == ["agreement", "curation"]


def test_four_opinions_speak_for_a_cell(case):
    shapes = {part.shape for part in opinions(case)}
    assert len(opinions(case)) == 4
    assert shapes == {(8, 10)}


def test_genes_that_set_a_cluster_apart_come_first(case):
    first, second = top_genes(case.cells)
    assert set(first[:5]) == set(T_GENES)
    assert set(second[:5]) == set(MACROPHAGE_GENES)
