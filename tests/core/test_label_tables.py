"""Labels of cells and the story of clusters, from what was called."""

import numpy as np
import pandas as pd
import pytest

from sthelar_build.core.clusters import Clustering
from sthelar_build.core.label_tables import (
    describe_clusters,
    label_cells,
    label_words,
)
from sthelar_build.core.refinement import CellCalls, ClusterCall
from sthelar_build.core.voting import Witnesses
from sthelar_build.schema.tables import EVIDENCE, LABELS
from sthelar_build.schema.vocabulary import find

SEEN = Witnesses("T_NK", 0.9, "T_NK", 3.0, 2.0, 3.0)
CALLS = [
    ClusterCall(SEEN, "T_CD8", "T", find("T_CD8"), "agreement", "both"),
    ClusterCall(SEEN, "B", "B", find("mammary_luminal"), "markers", "clear"),
]
CLUSTERING = Clustering(pd.Index(["b", "c", "d"]), np.array([0, 1, 1]), ["0", "1"])
CELL_CALLS = CellCalls(
    cluster=np.array([0, 1, 0]),
    moved=np.array([False, False, True]),
    confidence=np.array([0.9, 0.8, 0.7]),
    named=np.array([0, 1, 0]),
    classes=np.array([0, 1, 0]),
)


@pytest.fixture
def labels():
    enough = np.array([True, True, True])
    return label_cells(["a", "b", "c", "d"], CLUSTERING, CALLS, CELL_CALLS, enough, "cancer")


def test_every_cell_has_a_row_in_the_order_of_the_bundle(labels):
    assert labels.columns.tolist() == LABELS.names
    assert labels["cell_id"].tolist() == ["a", "b", "c", "d"]


def test_a_cell_outside_the_clusters_is_other(labels):
    cell = labels.iloc[0]
    assert (cell.final_label, cell.label1, cell.label3, cell.decided_by) == (
        "Other",
        "less10",
        "less10",
        "low_count",
    )
    assert cell.cluster is None


def test_a_cell_has_the_labels_of_its_cluster(labels):
    cell = labels.iloc[2]
    assert (cell.final_label, cell.label2, cell.label3, cell.decided_by) == (
        "Epithelial",
        "mammary_luminal",
        "cancer_cell",
        "markers",
    )


def test_a_moved_cell_keeps_its_cluster_and_takes_the_other_label(labels):
    cell = labels.iloc[3]
    assert (cell.cluster, cell.label2, cell.decided_by) == ("1", "T_CD8", "cell_evidence")


def test_a_clustered_cell_without_enough_transcripts_is_other():
    enough = np.array([False, True, True])
    table = label_cells(["a", "b", "c", "d"], CLUSTERING, CALLS, CELL_CALLS, enough, "cancer")
    assert table["decided_by"].tolist()[:2] == ["low_count", "low_count"]
    assert table["cluster"].tolist()[:2] == [None, None]


def test_the_evidence_keeps_what_spoke():
    table = describe_clusters(CLUSTERING, CALLS, [["CD3D", "CD8A"], []], "cancer")
    assert table.columns.tolist() == EVIDENCE.names
    assert table["n_cells"].tolist() == [1, 2]
    assert table["top_genes"].tolist() == ["CD3D,CD8A", ""]
    assert table["final_label"].tolist() == ["T_NK", "Epithelial"]
    assert table["tangram_label"].tolist() == ["T_CD8", "B"]
    assert table["reason"].tolist() == ["both", "clear"]


def test_a_slide_without_clusters_has_only_low_counts():
    none = Clustering(pd.Index([], dtype=object), np.array([], dtype=int), [])
    codes = np.array([], dtype=int)
    nothing = CellCalls(codes, codes.astype(bool), np.array([]), codes, codes)
    table = label_cells(["a"], none, [], nothing, np.array([], dtype=bool), "normal")
    assert table["decided_by"].tolist() == ["low_count"]
    assert describe_clusters(none, [], [], "normal").empty


def test_the_four_words_of_a_fine_label_depend_on_the_condition():
    assert label_words(find("Mast"), "cancer") == {
        "final_label": "Myeloid",
        "label1": find("Mast").label1,
        "label2": "Mast",
        "label3": "normal_cell",
    }
    assert label_words(find("mammary_luminal"), "cancer")["label3"] == "cancer_cell"
    assert label_words(find("mammary_luminal"), "normal")["label3"] == "normal_cell"
