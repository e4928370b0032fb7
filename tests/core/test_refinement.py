"""From shares and markers to calls of clusters and cells."""

import numpy as np
import pytest
import scipy.sparse as sp

from sthelar_build.core.markers import MarkerScores
from sthelar_build.core.refinement import (
    call_cells,
    call_clusters,
    class_shares,
    shares_in_clusters,
)
from sthelar_build.core.voting import Thresholds
from sthelar_build.schema.labels import CLASS_NAMES
from sthelar_build.schema.markers import MarkerType
from sthelar_build.schema.vocabulary import find

LABELS = ["T_CD8", "NK", "Macrophage"]
ENTRIES = {label: find(label) for label in LABELS}
TYPES = [MarkerType("T_CD8", "T_NK", (), ()), MarkerType("Mast", "Myeloid", (), ())]
THRESHOLDS = Thresholds(1.0, 0.5, 0.6)
T_NK, MYELOID = CLASS_NAMES.index("T_NK"), CLASS_NAMES.index("Myeloid")

# Clusters: 0 is T by both witnesses, 1 is macrophage for Tangram and mast for the markers' class.
SHARES = np.array([[0.8, 0.1, 0.1]] * 4 + [[0.1, 0.0, 0.9]] * 4)
CLUSTERS = np.repeat([0, 1], 4)
COUNTS = sp.csr_matrix([[20.0, 1.0]] * 4 + [[1.0, 20.0]] * 4)


def calls(scores):
    markers = MarkerScores(TYPES, np.array(scores, dtype=float), [])
    return call_clusters(SHARES, LABELS, ENTRIES, CLUSTERS, markers, THRESHOLDS)


def test_shares_of_fine_labels_add_up_to_classes():
    summed = class_shares(SHARES, [ENTRIES[label] for label in LABELS])
    assert summed[0, [T_NK, MYELOID]] == pytest.approx([0.9, 0.1])


def test_clusters_spread_the_votes_of_their_cells():
    shares = np.array([[1.0, 0], [0, 1.0], [np.nan, np.nan], [np.nan, np.nan]])
    spread = shares_in_clusters(shares, np.array([0, 0, 0, 1]), 2)
    np.testing.assert_allclose(spread, [[0.5, 0.5]] * 3 + [[np.nan] * 2])


def test_agreement_takes_the_fine_label_of_tangram():
    first, second = calls([[3, 0], [0, 3]])
    assert (first.decided_by, first.entry.label) == ("agreement", "T_CD8")
    assert (second.decided_by, second.entry.label) == ("agreement", "Macrophage")


def test_markers_that_win_give_their_own_fine_label():
    first, _ = calls([[0, 3], [0, 3]])
    assert (first.decided_by, first.entry.label) == ("markers", "Mast")
    assert first.seen.tangram_class == "T_NK"


def test_an_undecided_cluster_is_unknown():
    first, _ = calls([[0.2, 0.1], [0, 3]])
    assert (first.decided_by, first.entry.label, first.entry.class_name) == (
        "neither",
        "Unknown",
        "Other",
    )


def opinions():
    return [class_shares(SHARES, [ENTRIES[label] for label in LABELS])]


def test_a_cell_that_contradicts_its_cluster_takes_the_likeliest_type():
    clusters = CLUSTERS.copy()
    clusters[0] = 1
    found = call_cells(COUNTS, clusters, calls([[3, 0], [0, 3]]), opinions(), 0.5, 2.0)
    assert np.flatnonzero(found.moved).tolist() == [0]
    assert found.cluster.tolist() == CLUSTERS.tolist()


def test_without_log_odds_every_cell_stays():
    clusters = CLUSTERS.copy()
    clusters[0] = 1
    found = call_cells(COUNTS, clusters, calls([[3, 0], [0, 3]]), opinions(), 0.5, None)
    assert not found.moved.any()
    assert found.confidence[0] < found.confidence[1]


def test_cells_of_an_undecided_cluster_stay_and_have_no_confidence():
    found = call_cells(COUNTS, CLUSTERS, calls([[0.2, 0.1], [0, 3]]), opinions(), 0.5, 2.0)
    assert not found.moved.any()
    assert found.confidence[:4].tolist() == [0] * 4
    assert (found.confidence[4:] > 0.9).all()


def test_without_any_decided_cluster_nobody_moves():
    found = call_cells(COUNTS, CLUSTERS, calls([[0.2, 0.1], [0.1, 0.2]]), opinions(), 0.5, 2.0)
    assert not found.moved.any()
    assert not found.confidence.any()


def test_confidence_is_a_share():
    found = call_cells(COUNTS, CLUSTERS, calls([[3, 0], [0, 3]]), opinions(), 0.5, 2.0)
    assert ((found.confidence > 0.9) & (found.confidence <= 1)).all()


def test_a_class_that_the_atlas_lacks_keeps_its_cells():
    # Tangram takes all of cluster 0 for macrophages; the markers know that they are T cells.
    shares = np.array([[0.05, 0.05, 0.9]] * 8)
    clusters, counts = (
        np.repeat([0, 1], [60, 20]),
        sp.vstack([COUNTS[:1]] * 60 + [COUNTS[4:5]] * 20),
    )
    markers = MarkerScores(TYPES, np.array([[3.0, 0], [0, 3]]), [])
    tangram = np.tile(shares[0], (80, 1))
    found = call_clusters(tangram, LABELS, ENTRIES, clusters, markers, THRESHOLDS)
    assert [call.entry.class_name for call in found] == ["T_NK", "Myeloid"]
    opinion = class_shares(tangram, [ENTRIES[label] for label in LABELS])
    cells = call_cells(sp.csr_matrix(counts), clusters, found, [opinion] * 4, 0.5, 2.0)
    assert not cells.moved.any()
    assert (cells.confidence > 0.8).all()


def test_every_cell_says_what_it_names_and_what_it_is():
    clusters = CLUSTERS.copy()
    clusters[0] = 1
    found = call_cells(COUNTS, clusters, calls([[3, 0], [0, 3]]), opinions(), 0.5, None)
    assert found.named.tolist() == [T_NK] * 4 + [MYELOID] * 4
    assert found.classes.tolist() == [MYELOID] + [T_NK] * 3 + [MYELOID] * 4


def test_without_any_decided_cluster_cells_name_nothing():
    found = call_cells(COUNTS, CLUSTERS, calls([[0.2, 0.1], [0.1, 0.2]]), opinions(), 0.5, 2.0)
    assert found.named.tolist() == [-1] * 8
    assert found.classes.tolist() == [CLASS_NAMES.index("Other")] * 8
