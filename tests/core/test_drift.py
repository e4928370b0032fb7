"""One measurement per tile that has nuclei."""

import numpy as np
import pytest
import shapely

from sthelar_build.core.drift import DriftRule, drawn_nuclei, measured, tiles_with_nuclei
from sthelar_build.core.registration import Window

RULE = DriftRule(tile_um=100, search_um=10, um_per_px=0.5, min_nuclei=5, min_gain=0.1)


def nuclei(n=40):
    spots = np.random.default_rng(2).uniform(0, 100, (n, 2))
    return spots, shapely.buffer(shapely.points(spots), 4)


def measure(haematoxylin_of, n=40, is_on_he=lambda window: True):
    spots, geometries = nuclei(n)
    tiles = tiles_with_nuclei(spots, 100)
    return list(measured(tiles, geometries, RULE, is_on_he, haematoxylin_of))


def moved(dx_um, dy_um):
    """H&E that shows the nuclei ``(dx, dy)`` from where they are drawn."""
    _, geometries = nuclei()
    there = shapely.transform(geometries, lambda xy: xy + np.array([dx_um, dy_um]))
    return lambda window: drawn_nuclei(there, window)


def test_tiles_are_numbered_row_by_row_and_only_those_with_nuclei():
    centroids = np.array([[250.0, 10], [20, 10], [30, 20], [20, 310]])
    tiles = tiles_with_nuclei(centroids, 100)
    assert tiles.tile.tolist() == [0, 1, 2]
    assert tiles[["x_um", "y_um"]].to_numpy().tolist() == [[50, 50], [250, 50], [50, 350]]
    assert tiles.n_nuclei.tolist() == [2, 1, 1]


def test_nuclei_are_drawn_on_the_grid_of_the_window():
    window = Window(left_um=10, top_um=10, um_per_px=0.5, shape=(2, 4))
    drawn = drawn_nuclei(np.array([shapely.box(10.5, 10, 11, 11)]), window)
    assert drawn.tolist() == [[0, 1, 0, 0], [0, 1, 0, 0]]


@pytest.mark.parametrize(("dx_um", "dy_um"), [(0, 0), (3.2, -1.4), (-8, 6)])
def test_the_shift_to_the_haematoxylin_is_measured(dx_um, dy_um):
    (tile,) = measure(moved(dx_um, dy_um))
    assert (tile["dx_um"], tile["dy_um"]) == pytest.approx((dx_um, dy_um), abs=0.1)
    assert tile["residual_um"] == pytest.approx(np.hypot(dx_um, dy_um), abs=0.1)
    assert tile["best_correlation"] > 0.95
    assert "reason" not in tile


def test_where_no_shift_stands_out_nothing_is_measured():
    (tile,) = measure(lambda window: np.ones(window.shape, dtype=np.float32))
    assert tile == {"correlation": 0, "best_correlation": 0, "reason": "flat"}


def test_a_tile_beyond_the_h_and_e_is_outside():
    assert measure(moved(0, 0), is_on_he=lambda window: False) == [{"reason": "outside"}]


def test_a_tile_with_too_few_nuclei_is_not_measured():
    assert measure(moved(0, 0), n=4) == [{"reason": "no_nucleus"}]
