"""How pure clusters are, by their cells and by the cells' neighbours."""

import numpy as np

from sthelar_build.core.purity import Near, neighbour_purity, purity


def test_purity_is_the_share_of_cells_that_name_their_class():
    named, given = np.array([1, 1, 2, 0, -1]), np.array([1, 1, 1, 0, 0])
    found = purity(named, given, np.array([0, 0, 0, 1, 1]), 3)
    np.testing.assert_allclose(found, [2 / 3, 1 / 2, np.nan])


def test_neighbours_of_the_same_class_count():
    classes = np.array([4, 4, 4, 7])
    neighbours = np.array([[1, 2], [0, 3], [0, 3], [1, 2]])
    near = Near(np.arange(4), neighbours)
    found = neighbour_purity(classes, near, np.array([0, 0, 0, 1]), 2)
    np.testing.assert_allclose(found, [(1 + 0.5 + 0.5) / 3, 0])


def test_neighbours_are_counted_within_the_sample():
    near = Near(np.array([1, 3]), np.array([[1], [0]]))
    classes = np.array([0, 4, 0, 4])
    found = neighbour_purity(classes, near, np.array([2, 0, 2, 1]), 3)
    np.testing.assert_allclose(found, [1, 1, np.nan])


def test_a_single_cell_has_no_neighbours():
    near = Near(np.array([0]), np.zeros((1, 0), dtype=int))
    assert neighbour_purity(np.array([3]), near, np.array([0]), 1).tolist() == [0]
