"""Labels of cells and the story of clusters, before and after human decisions."""

import numpy as np
import pandas as pd
import pytest

from sthelar_build.core.clusters import Clustering
from sthelar_build.core.label_tables import (
    Curation,
    Decision,
    curate_calls,
    curate_labels,
    describe_clusters,
    label_cells,
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
    np.array([0, 1, 0]), np.array([False, False, True]), np.array([0.9, 0.8, 0.7])
)
DECISION = Decision(find("Mast"), "A. Pathologist", "2026-01-31", "KIT and TPSAB1")


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


def test_a_decision_on_a_cluster_holds_for_all_its_cells(labels):
    found = curate_labels(labels, Curation({"1": DECISION}, {}), "cancer")
    assert found["final_label"].tolist() == ["Other", "T_NK", "Myeloid", "Myeloid"]
    assert found["decided_by"].tolist()[2:] == ["curation", "curation"]
    assert labels["final_label"].tolist()[2] == "Epithelial"


def test_a_decision_on_a_cell_comes_last_and_reaches_low_counts(labels):
    found = curate_labels(labels, Curation({"1": DECISION}, {"a": DECISION}), "cancer")
    assert found.iloc[0][["final_label", "label2", "label3"]].tolist() == [
        "Myeloid",
        "Mast",
        "normal_cell",
    ]


def test_the_evidence_keeps_what_spoke_and_who_decided():
    calls = curate_calls(["0", "1"], CALLS, Curation({"1": DECISION}, {}))
    table = describe_clusters(CLUSTERING, calls, [["CD3D", "CD8A"], []], "cancer")
    assert table.columns.tolist() == EVIDENCE.names
    assert table["n_cells"].tolist() == [1, 2]
    assert table["top_genes"].tolist() == ["CD3D,CD8A", ""]
    assert table["final_label"].tolist() == ["T_NK", "Myeloid"]
    assert table["tangram_label"].tolist() == ["T_CD8", "B"]
    assert "A. Pathologist" in table["reason"][1]


def test_a_slide_without_clusters_has_only_low_counts():
    none = Clustering(pd.Index([], dtype=object), np.array([], dtype=int), [])
    nothing = CellCalls(np.array([], dtype=int), np.array([], dtype=bool), np.array([]))
    table = label_cells(["a"], none, [], nothing, np.array([], dtype=bool), "normal")
    assert table["decided_by"].tolist() == ["low_count"]
    assert describe_clusters(none, [], [], "normal").empty
