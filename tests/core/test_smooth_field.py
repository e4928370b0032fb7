"""Smooth fields from scattered vectors."""

import numpy as np
import pytest

from sthelar_build.core.correction import Correction
from sthelar_build.core.smooth_field import Grid, Scattered

GRID = Grid(left_um=-100, top_um=0, step_um=50, shape=(9, 7))


def points(n=300, seed=0):
    return np.random.default_rng(seed).uniform(0, 1, (n, 2)) * [300, 400] + [-100, 0]


def test_the_grid_is_just_around_the_points():
    grid = Grid.around(np.array([[-10.0, 100], [430, 290]]), 100)
    assert grid == Grid(-100, 100, 100, (3, 7))
    assert Grid.around(np.array([[5.0, 5]]), 100).shape == (3, 3)


def test_the_splines_at_a_point_sum_to_one():
    edges = np.array([[-100.0, 0], [200, 400]])
    weights = GRID.basis(np.vstack([points(), edges])).sum(axis=1)
    np.testing.assert_allclose(weights, 1)


def test_a_correction_with_the_nodes_of_a_field_is_that_field():
    coefficients = np.random.default_rng(1).normal(0, 3, (9 * 7, 2))
    correction = Correction(-100, 0, 50, GRID.at_nodes(coefficients))
    np.testing.assert_allclose(
        correction.shifts(points()), GRID.basis(points()) @ coefficients, atol=1e-3
    )


def test_what_is_level_is_not_rough_and_what_bends_is_rougher_than_what_slopes():
    row, column = np.indices(GRID.shape).reshape(2, -1)
    level, slope, bend = np.ones(63), row.astype(float), (column - 3.0) ** 2
    rough = [value @ (GRID.roughness() @ value) for value in (level, slope, bend)]
    assert rough[0] == pytest.approx(0)
    assert 0 < rough[1] < rough[2]


def test_a_soft_field_follows_its_vectors_and_a_stiff_one_their_mean():
    vectors = np.column_stack([np.sin(points()[:, 0] / 100), np.full(300, 2.0)])
    tiles = Scattered.on(GRID, points(), vectors, np.ones(300))
    np.testing.assert_allclose(tiles.field(tiles.weight, 1e-3), vectors, atol=0.05)
    stiff = tiles.field(tiles.weight, 1e9)
    np.testing.assert_allclose(stiff, np.tile(vectors.mean(axis=0), (300, 1)), atol=1e-3)


def test_vectors_without_weight_do_not_count():
    vectors = np.zeros((300, 2))
    vectors[::3] = 50
    weight = np.ones(300)
    weight[::3] = 1e-9
    tiles = Scattered.on(GRID, points(), vectors, weight)
    np.testing.assert_allclose(tiles.field(tiles.weight, 1.0), 0, atol=1e-3)


def test_vectors_that_contradict_those_around_them_are_not_believed():
    rng = np.random.default_rng(2)
    vectors = 8 * np.sin(points(800) / 80) + rng.normal(0, 0.3, (800, 2))
    wrong = rng.random(800) < 0.3
    vectors[wrong] += rng.choice([-1, 1], (wrong.sum(), 1)) * rng.uniform(6, 20, (wrong.sum(), 2))
    believed = Scattered.on(GRID, points(800), vectors, np.ones(800)).believed(0.4)
    assert not believed[wrong].any()
    assert believed[~wrong].mean() > 0.98


def test_where_all_agree_all_are_believed():
    tiles = Scattered.on(GRID, points(), np.full((300, 2), 7.0), np.ones(300))
    assert tiles.believed(1.0).all()
