"""Low-resolution maps of how dense nuclei are."""

import numpy as np
import pytest

from sthelar_build.core.density import band_passed, density, thinned


def test_every_pixel_holds_the_weights_of_its_points():
    points = np.array([[0.2, 0.9], [0.9, 0.1], [2.0, 1.5]])
    found = density(points, np.array([1.0, 2, 5]), (2, 3))
    assert found.tolist() == [[3, 0, 0], [0, 0, 5]]


@pytest.mark.parametrize("outside", [[-0.1, 0.5], [3.0, 0.5], [0.5, -0.1], [0.5, 2.0]])
def test_points_outside_are_left_out_and_the_sum_is_that_of_the_others(outside):
    points = np.array([outside, [1.5, 1.5]])
    assert density(points, np.array([7.0, 2]), (2, 3)).tolist() == [[0, 0, 0], [0, 2, 0]]


def test_points_that_share_a_square_become_their_weighted_mean():
    points = np.array([[1.0, 1], [5, 1], [11, 1], [1, 19]])
    places, weights = thinned(points, np.array([3.0, 1, 2, 4]), 10)
    assert places.tolist() == [[2, 1], [11, 1], [1, 19]]
    assert weights.tolist() == [4, 2, 4]


def test_thinning_keeps_the_total_weight_and_the_mean_place():
    rng = np.random.default_rng(0)
    points, weights = rng.uniform(-300, 700, (500, 2)), rng.uniform(1, 9, 500)
    places, total = thinned(points, weights, 40)
    assert len(places) < 500
    assert total.sum() == pytest.approx(weights.sum())
    np.testing.assert_allclose(total @ places, weights @ points)


def test_squares_on_both_sides_of_zero_are_not_mixed_up():
    points = np.array([[-1.0, 1], [1, -1], [1, 1], [-1, -1]])
    places, _ = thinned(points, np.ones(4), 10)
    assert sorted(places.tolist()) == sorted(points.tolist())


def test_of_a_constant_nothing_passes_up_to_the_edge_of_what_is_known():
    known = np.zeros((40, 50), dtype=np.bool_)
    known[5:30, 10:45] = True
    values = np.where(known, 3, 1000).astype(np.float32)
    np.testing.assert_allclose(band_passed(values, known, 1, 4), 0, atol=1e-4)


def test_a_clump_passes_and_a_slow_slope_and_single_pixels_hardly_do():
    everywhere = np.ones((120, 120), dtype=np.bool_)
    y, x = np.indices((120, 120))
    clump = np.exp(-((x - 60) ** 2 + (y - 60) ** 2) / (2 * 4**2)).astype(np.float32)
    checkers = ((x + y) % 2).astype(np.float32)

    def middle(values):
        return band_passed(values.astype(np.float32), everywhere, 2, 12)[60, 60]

    assert middle(clump) > 0.6
    assert middle(x / 120) == pytest.approx(0, abs=0.01)
    assert middle(checkers) == pytest.approx(0, abs=0.01)


def test_nothing_passes_where_nothing_is_known():
    known = np.zeros((20, 20), dtype=np.bool_)
    known[:, :10] = True
    values = np.random.default_rng(0).uniform(size=(20, 20)).astype(np.float32)
    found = band_passed(values, known, 1, 4)
    assert found[:, :10].all()
    assert not found[:, 10:].any()
