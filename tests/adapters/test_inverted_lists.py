"""Points near each other are found, in order, whatever the number of threads."""

import numpy as np
from sklearn.neighbors import NearestNeighbors

from sthelar_build.adapters import inverted_lists
from sthelar_build.adapters.inverted_lists import near_points


def cloud(n, axes=16):
    return np.random.default_rng(0).normal(size=(n, axes)).astype(np.float32)


def test_on_a_line_the_nearest_are_those_beside():
    line = np.array([[0], [1], [3], [6], [10]], dtype=np.float32)
    found, distances = near_points(line, 3, seed=0)
    assert found.tolist() == [[0, 1, 2], [1, 0, 2], [2, 1, 0], [3, 2, 4], [4, 3, 2]]
    assert distances.tolist() == [[0, 1, 3], [0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 7]]


def test_the_search_is_exact_where_all_lists_are_searched():
    points = cloud(900)
    expected, numbers = NearestNeighbors(n_neighbors=10, algorithm="brute").fit(points).kneighbors()
    found, distances = near_points(points, 11, seed=0)
    np.testing.assert_array_equal(found[:, 1:], numbers)
    np.testing.assert_allclose(distances[:, 1:], expected, atol=1e-4)


def test_few_lists_find_most_neighbours(monkeypatch):
    points = cloud(4000, axes=4)
    exact, _ = near_points(points, 10, seed=0)
    monkeypatch.setattr(inverted_lists, "_LISTS_SEARCHED", 12)
    found, _ = near_points(points, 10, seed=0)
    shared = [len(set(one) & set(other)) for one, other in zip(exact, found, strict=True)]
    assert 9.5 < np.mean(shared) < 10


def test_threads_change_nothing(monkeypatch):
    monkeypatch.setattr(inverted_lists, "_LISTS_SEARCHED", 8)
    one, two = (near_points(cloud(1000), 6, 0, threads) for threads in (1, 3))
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1], two[1])


def test_points_at_one_place_are_all_found():
    found, distances = near_points(np.zeros((50, 3), dtype=np.float32), 5, seed=0)
    assert all(len(set(row)) == 5 for row in found.tolist())
    assert (distances == 0).all()
