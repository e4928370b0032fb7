"""One measurement per tile that has nuclei."""

import numpy as np
import pyarrow as pa
import pytest
import shapely

from sthelar_build.core.drift import (
    DriftRule,
    decay,
    drawn_nuclei,
    measure_tile,
    tile_table,
)
from sthelar_build.core.nucleus_map import NucleusMap
from sthelar_build.core.nucleus_tiles import tiles_with_nuclei
from sthelar_build.core.outlines import Outlines
from sthelar_build.core.registration import Window
from sthelar_build.schema.tables import REGISTRATION

RULE = DriftRule(tile_um=100, search_um=10, um_per_px=0.5, min_nuclei=5, min_gain=0.1, match_um=4)
CENTRE_UM = (50.0, 50.0)


def nuclei(n=40):
    spots = np.random.default_rng(2).uniform(0, 100, (n, 2))
    return spots, shapely.buffer(shapely.points(spots), 4)


class Section:
    """H&E that shows the nuclei ``(dx, dy)`` from where they are drawn."""

    def __init__(self, dx_um=0, dy_um=0, *, covers=True, tissue=1.0, blank=False):
        _, geometries = nuclei()
        self.there = shapely.transform(geometries, lambda xy: xy + np.array([dx_um, dy_um]))
        self.is_covered, self.tissue, self.blank = covers, tissue, blank

    def covers(self, window):
        return self.is_covered

    def on_tissue(self, points_um):
        return np.arange(len(points_um)) < self.tissue * len(points_um)

    def haematoxylin(self, window):
        drawn = drawn_nuclei(Outlines.of(self.there), window)
        return np.ones_like(drawn) if self.blank else drawn


def measure(section, n=40):
    spots, geometries = nuclei(n)
    return measure_tile(
        CENTRE_UM,
        NucleusMap(Outlines.of(geometries), spots, shapely.area(geometries)),
        section,
        RULE,
    )


def test_nuclei_are_drawn_on_the_grid_of_the_window():
    window = Window(left_um=10, top_um=10, um_per_px=0.5, shape=(2, 4))
    drawn = drawn_nuclei(Outlines.of([shapely.box(10.5, 10, 11, 11)]), window)
    assert drawn.tolist() == [[0, 1, 0, 0], [0, 1, 0, 0]]


@pytest.mark.parametrize(("dx_um", "dy_um"), [(0, 0), (3.2, -1.4), (-8, 6)])
def test_the_shift_to_the_haematoxylin_is_measured(dx_um, dy_um):
    tile = measure(Section(dx_um, dy_um)).columns
    assert (tile["dx_um"], tile["dy_um"]) == pytest.approx((dx_um, dy_um), abs=0.1)
    assert tile["residual_um"] == pytest.approx(np.hypot(dx_um, dy_um), abs=0.1)
    assert tile["best_correlation"] > 0.95
    assert "reason" not in tile


def test_the_correlation_falls_with_the_shift_where_nuclei_lie_right():
    tile = measure(Section()).columns
    names = ["correlation", *(f"correlation_{um}um" for um in (1, 2, 4, 8))]
    values = [tile[name] for name in names]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.95
    assert values[-1] < 0.2


def test_the_decay_is_the_mean_of_the_four_neighbours_at_a_distance():
    surface = np.zeros((41, 41), np.float32)
    surface[20, 22], surface[20, 18], surface[22, 20], surface[18, 20] = 1, 2, 3, 6
    found = decay(surface, um_per_px=0.5)
    assert found == {
        "correlation_1um": 3.0,
        "correlation_2um": 0.0,
        "correlation_4um": 0.0,
        "correlation_8um": 0.0,
    }


def test_beyond_the_search_the_decay_is_not_known():
    found = decay(np.ones((9, 9), np.float32), um_per_px=1)
    assert list(found.values())[:3] == [1, 1, 1]
    assert np.isnan(found["correlation_8um"])


def test_nuclei_that_lie_right_have_their_partners_near():
    right, wrong = measure(Section()), measure(Section(2.0, 0))
    assert right.columns["n_matched"] == len(right.matched_um) >= 30
    assert right.columns["matched_um"] < 0.5
    assert wrong.columns["matched_um"] == pytest.approx(2, abs=0.4)


def test_where_no_shift_stands_out_nothing_is_measured():
    tile = measure(Section(blank=True)).columns
    assert (tile["correlation"], tile["best_correlation"], tile["reason"]) == (0, 0, "flat")
    assert "residual_um" not in tile


@pytest.mark.parametrize(
    ("section", "n", "reason"),
    [
        (Section(covers=False), 40, "outside"),
        (Section(tissue=0.4), 40, "no_tissue"),
        (Section(), 4, "no_nucleus"),
    ],
)
def test_what_cannot_be_measured_says_why(section, n, reason):
    found = measure(section, n)
    assert found.columns == {"reason": reason}
    assert len(found.matched_um) == 0


def test_half_of_a_tile_torn_out_is_still_measured():
    assert "residual_um" in measure(Section(tissue=0.5)).columns


def test_a_subset_of_tiles_makes_a_table_that_fits_the_schema():
    tiles = tiles_with_nuclei(np.array([[10.0, 10], [110, 10], [210, 10]]), 100)
    found = [measure(Section()), measure(Section(covers=False))]
    table = tile_table(tiles.iloc[[2, 0]], found)
    assert table.tile.tolist() == [2, 0]
    assert table.columns.tolist() == REGISTRATION.names
    arrow = pa.Table.from_pandas(table, REGISTRATION, preserve_index=False)
    assert arrow["reason"].to_pylist() == [None, "outside"]
    assert arrow["n_matched"].to_pylist()[1] is None
