"""Clusters and parts of clusters are called by one rule, against one base level."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sthelar_build.core.cluster_calling import ClusterCaller, divided
from sthelar_build.core.clusters import ClusteredCells, Clustering
from sthelar_build.core.scores import Scores
from sthelar_build.core.splitting import SplitRule
from sthelar_build.core.voting import Thresholds
from sthelar_build.schema.labels import CLASS_NAMES
from sthelar_build.schema.markers import MarkerType
from sthelar_build.schema.vocabulary import find

T = MarkerType("T", "T_NK", ("CD3D", "CD3E", "CD2"), ())
B = MarkerType("B", "B_Plasma", ("MS4A1", "CD79A", "CD19"), ())
GENES = ["CD3D", "CD3E", "CD2", "MS4A1", "CD79A", "CD19", "ACTB"]
T_CELL, B_CELL, NEITHER = [9, 9, 9, 0, 0, 0, 30], [0, 0, 0, 9, 9, 9, 30], [0, 0, 0, 0, 0, 0, 30]
# Cluster 3 holds six T and four B cells, cluster 4 four that are neither.
COUNTS = sp.csr_matrix(np.array([T_CELL] * 6 + [B_CELL] * 4 + [NEITHER] * 4, dtype=float))
CLUSTERS = np.repeat([0, 1], [10, 4])
APART = np.repeat([0, 2, 1], [6, 4, 4])
T_NK, B_PLASMA = CLASS_NAMES.index("T_NK"), CLASS_NAMES.index("B_Plasma")


@pytest.fixture
def caller():
    ids = [f"c{number}" for number in range(14)]
    shares = np.array([[0.9, 0.1]] * 6 + [[0.2, 0.8]] * 4 + [[0.5, 0.5]] * 4, dtype=np.float32)
    return ClusterCaller(
        ClusteredCells(Clustering(pd.Index(ids), CLUSTERS, ["3", "4"]), COUNTS, GENES),
        Scores("cell_id", np.array(ids, dtype=object), ["T", "B"], shares),
        {label: find(label) for label in ("T", "B")},
        [T, B],
        Thresholds(1.0, 0.5, 0.6),
    )


def test_two_types_in_one_cluster_are_rivals(caller):
    mixed, neither = caller.part_calls(CLUSTERS, 2)
    assert set(mixed.rivals) == {T_NK, B_PLASMA}
    assert not mixed.by_markers
    assert neither.rivals is None


def test_each_part_is_named_by_its_own_markers(caller):
    parts = caller.part_calls(APART, 3)
    assert [one.class_name for one in parts][::2] == ["T_NK", "B_Plasma"]
    assert [one.by_markers for one in parts] == [True, False, True]
    assert parts[0].rivals is None


def test_the_base_level_does_not_depend_on_the_parts(caller):
    alone = caller.markers(np.where(APART == 0, 0, -1), 1)
    np.testing.assert_allclose(alone.scores[0], caller.markers(APART, 3).scores[0])


def test_a_mixed_cluster_is_divided_and_a_whole_one_keeps_its_name(caller):
    named = np.repeat([T_NK, B_PLASMA, -1], [6, 4, 4])
    cells, parents = divided(caller, named, SplitRule(0.9, 3, 0.5))
    assert cells.clustering.names == ["3.1", "3.2", "4"]
    assert parents == ["3", "3", None]
    assert cells.clustering.clusters.tolist() == [0] * 6 + [1] * 4 + [2] * 4
    assert cells.counts is COUNTS


def test_a_slide_without_clusters_has_nothing_to_divide(caller):
    empty = Clustering(pd.Index([], dtype=object), np.array([], dtype=np.intp), [])
    cells = ClusteredCells(empty, COUNTS[:0], GENES)
    none = ClusterCaller(cells, caller.scores, caller.entries, caller.types, caller.thresholds)
    found, parents = divided(none, np.array([], dtype=np.intp), SplitRule(0.9, 3, 0.5))
    assert (found.clustering.names, parents) == ([], [])
