"""Markers speak for the cluster that raises them, whatever the depth and the panel."""

import numpy as np
import pytest
import scipy.sparse as sp

from sthelar_build.core.markers import (
    base_levels,
    gene_rises,
    score_types,
    shown_markers,
)
from sthelar_build.schema.markers import MarkerType

T = MarkerType("T", "T_NK", ("CD3D", "CD3E", "CD2", "TRAC"), ())
B = MarkerType("B", "B_Plasma", ("MS4A1", "CD79A", "CD19", "PAX5"), ())
GENES = ["CD3D", "CD3E", "CD2", "TRAC", "MS4A1", "CD79A", "CD19", "ACTB"]
# One T cluster, one B cluster, and three that are neither.
COUNTS = np.array(
    [
        [50, 40, 30, 60, 1, 1, 1, 100],
        [1, 1, 1, 1, 50, 60, 40, 100],
        [1, 1, 1, 1, 1, 1, 1, 100],
        [1, 1, 1, 1, 1, 1, 1, 100],
        [1, 1, 1, 1, 1, 1, 1, 100],
    ],
    dtype=float,
)


def test_each_cluster_is_named_by_its_markers():
    scores = score_types(gene_rises(COUNTS), GENES, [T, B])
    names, by_class = scores.by_class()
    assert [names[n] for n in by_class[:2].argmax(axis=1)] == ["T_NK", "B_Plasma"]
    assert (by_class[2:] < 0.5).all()
    assert scores.best_type(0, "T_NK") == "T"


def test_depth_does_not_change_the_scores():
    deep = COUNTS * np.array([[1], [10], [3], [1], [7]])
    np.testing.assert_allclose(gene_rises(deep), gene_rises(COUNTS))


def test_a_type_may_fill_most_clusters():
    counts = COUNTS[[0, 0, 0, 2]]
    assert (gene_rises(counts)[:3, 0] > 2).all()


def test_a_class_with_two_markers_on_the_panel_is_unscorable():
    scores = score_types(gene_rises(COUNTS)[:, :6], GENES[:6], [T, B])
    assert [kind.label for kind in scores.types] == ["T"]
    assert scores.unscorable == ["B_Plasma"]
    assert scores.best_type(0, "B_Plasma") is None


def test_symbols_match_without_regard_to_case():
    lower = [gene.lower() for gene in GENES]
    assert len(score_types(gene_rises(COUNTS), lower, [T]).types) == 1


def test_no_cluster_gives_no_score():
    scores = score_types(gene_rises(COUNTS[:0]), GENES, [T])
    assert scores.by_class()[1].shape == (0, 1)


def test_a_gene_of_two_classes_counts_half():
    shared = MarkerType("NK", "T_NK", ("NKG7", "GNLY", "KLRD1"), ())
    other = MarkerType("pDC", "Myeloid", ("NKG7", "GZMB", "IRF7"), ())
    rises = np.array([[4.0, 1.0, 1.0]])
    genes = ["NKG7", "GNLY", "KLRD1"]
    alone = score_types(rises, genes, [shared]).scores[0, 0]
    both = score_types(rises, genes, [shared, other]).scores[0, 0]
    assert alone == (4 + 1 + 1) / (3 + 1)
    assert both == (2 + 1 + 1) / (2.5 + 1)


def test_parts_are_held_against_the_base_of_the_clusters():
    base = base_levels(COUNTS)
    np.testing.assert_allclose(gene_rises(COUNTS[:1], base), gene_rises(COUNTS)[:1])
    assert (gene_rises(COUNTS[:1]) == 0).all()


def test_the_two_highest_classes_are_named_where_both_are_high():
    both = COUNTS[0] + COUNTS[1]
    scores = score_types(gene_rises(np.vstack([COUNTS, both])), GENES, [T, B])
    assert scores.two_highest(1.0)[2] is None
    assert set(scores.two_highest(1.0)[5]) == {"T_NK", "B_Plasma"}


def test_one_class_has_no_rival():
    assert score_types(gene_rises(COUNTS), GENES, [T]).two_highest(0.0) == [None] * 5


def test_a_cell_shows_markers_relative_to_what_is_usual():
    counts = sp.csr_matrix([[2.0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 9]])
    genes = ["CD3D", "CD3E", "CD2", "TRAC", "MS4A1", "ACTB"]
    base = np.array([0.2, 0, 0, 0, 0.1, 0.7])
    found = shown_markers(counts, base, genes, [T, B], ["T_NK", "B_Plasma", "Myeloid"])
    tenth = 0.1 / len(genes)
    assert found.dtype == np.float32
    assert found[0] == pytest.approx([2 / (0.2 + 4 * tenth), 1 / (0.1 + tenth), 0])
    assert found[1].tolist() == [0, 0, 0]
