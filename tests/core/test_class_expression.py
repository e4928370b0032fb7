"""Means, shares and the markers to show of a few cells whose counts can be told."""

import numpy as np
import pytest
import scipy.sparse as sp

from sthelar_build.core.class_expression import ClassExpression, dot_plot, leading_markers

GENES = ["CD3D", "CD3E", "EPCAM", "BG"]
COUNTS = sp.csr_matrix(
    np.array([[1, 1, 0, 0], [2, 0, 0, 0], [0, 0, 4, 0], [0, 0, 0, 9]], dtype=np.float32)
)
CLASSES = np.array([0, 0, 2, -1])
"""Two of the first class, none of the second, one of the third; one that does not count."""


@pytest.fixture
def found():
    expression = ClassExpression(3, len(GENES))
    expression.add(COUNTS[:1], CLASSES[:1])
    expression.add(COUNTS[1:], CLASSES[1:])
    return expression


def test_means_are_of_log_normalised_counts(found):
    half, all_of_it = np.log1p(5e3), np.log1p(1e4)
    np.testing.assert_allclose(
        found.means,
        [[(half + all_of_it) / 2, half / 2, 0, 0], [0, 0, 0, 0], [0, 0, all_of_it, 0]],
        rtol=1e-6,
    )


def test_shares_are_of_cells_with_a_count(found):
    assert found.n_cells.tolist() == [2, 0, 1]
    assert found.shares.tolist() == [[1, 0.5, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]]


def test_a_count_of_zero_that_is_stored_is_no_count():
    stored = sp.csr_matrix((np.array([0.0, 3.0], dtype=np.float32), ([0, 0], [0, 1])), shape=(1, 2))
    expression = ClassExpression(1, 2)
    expression.add(stored, np.array([0]))
    assert expression.shares.tolist() == [[0, 1]]


def test_markers_that_lead_are_shown_under_their_class():
    means = np.array([[1.0, 3.0, 0.0, 9.0], [0.5, 0.0, 2.0, 0.0]])
    names = ["T_NK", "Epithelial"]
    assert leading_markers(GENES, means, names, per_class=1) == [
        ("T_NK", "CD3E"),
        ("Epithelial", "EPCAM"),
    ]
    assert ("T_NK", "CD3D") in leading_markers(GENES, means, names, per_class=2)


def test_dots_are_those_of_classes_with_cells(found):
    plot = dot_plot(found, GENES, ["T_NK", "Myeloid", "Epithelial"], per_class=2)
    assert [gene for _, gene in plot.genes] == ["CD3D", "CD3E", "EPCAM"]
    assert [(name, n) for name, n, _ in plot.rows] == [("T_NK", 2), ("Epithelial", 1)]
    t_cells, epithelium = (dots for _, _, dots in plot.rows)
    assert [dot.share for dot in t_cells] == [1, 0.5, 0]
    assert [dot.shade for dot in t_cells] == [1, 1, 0]
    assert [dot.shade for dot in epithelium] == [0, 0, 1]


def test_a_panel_without_markers_has_no_dots():
    assert dot_plot(ClassExpression(1, 1), ["BG"], ["T_NK"], 5).genes == ()
