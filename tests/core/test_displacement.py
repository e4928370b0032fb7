"""Metrics of displaced masks, and the displacement that a metric is worth."""

import numpy as np
import pytest

from sthelar_build.core.agreement import agreement
from sthelar_build.core.displacement import (
    Displaced,
    DisplacementCurve,
    MeanMetrics,
    displacement_um,
    shifts,
)


def squares(side_px=64, every=16, width=8):
    """A grid of squares."""
    rows, columns = np.mgrid[:side_px, :side_px]
    inside = (rows % every < width) & (columns % every < width)
    return np.where(inside, rows // every * 100 + columns // every + 1, 0)


def curve(*pairs, um_per_px=0.25, distances_um=(0.5, 1.0)):
    gathered = DisplacementCurve(um_per_px, distances_um)
    for pair in pairs:
        gathered.add(*pair)
    return gathered


def test_moves_have_one_length_in_eight_directions():
    found = shifts(10)
    assert found[:4] == [(0, 10), (10, 0), (0, -10), (-10, 0)]
    assert found[4:] == [(7, 7), (7, -7), (-7, -7), (-7, 7)]
    assert shifts(0) == [(0, 0)]


def test_masks_in_place_agree_and_the_metrics_fall_with_the_distance():
    same = squares()
    rows = curve((same, same), distances_um=(0.5, 1.0, 2.0)).rows()
    assert [row.distance_um for row in rows] == [0, 0.5, 1, 2]
    assert rows[0].metrics.jaccard == 1
    values = [row.metrics.jaccard for row in rows]
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.4
    assert rows[0].n_windows == 1
    assert rows[1].n_windows == 8


def test_only_the_window_where_both_exist_is_compared():
    # One square of 4 x 4 in the corner; moved right by 2, two of its columns lie over themselves.
    true = np.zeros((8, 8), dtype=int)
    true[:4, :4] = 1
    gathered = curve((true, true), um_per_px=1, distances_um=(2.0,))
    right = agreement(true[:, :6], true[:, 2:])
    in_place = agreement(true[:, 2:], true[:, 2:])
    assert right.jaccard == float(np.float32(8 / 16))
    assert in_place.jaccard == 1
    row = gathered.rows()[1]
    assert row.in_place.jaccard == 1
    assert row.metrics.jaccard < 1


def test_masks_that_lie_askew_are_best_where_the_move_undoes_it():
    true = squares()
    predicted = np.roll(true, 4, axis=1)
    found = [agreement(true[:, :-4], predicted[:, 4:]).jaccard, agreement(true, predicted).jaccard]
    assert found[0] == 1
    row = curve((true, predicted), distances_um=(1.0,)).rows()[1]
    assert row.metrics.jaccard > 0
    assert row.in_place.jaccard == pytest.approx(found[1], abs=0.05)


def test_the_foreground_of_the_network_counts_for_pixels():
    true = squares()
    row = curve((true, true * 0, true > 0)).rows()[0]
    assert row.metrics.jaccard == 1
    assert row.metrics.bpq == 0


def test_moves_are_whole_pixels_and_their_length_is_told():
    row = curve((squares(), squares()), um_per_px=0.5, distances_um=(1.0,)).rows()[1]
    # Two pixels straight, one and one slanted.
    assert row.moved_um == pytest.approx((4 * 2 + 4 * 2**0.5) / 8 * 0.5)


def test_patches_without_true_nuclei_are_passed_over():
    gathered = curve((np.zeros((8, 8), int), squares(8)), (squares(8), squares(8)))
    assert gathered.n_patches == 1


def test_distances_beyond_the_patch_have_no_windows():
    row = curve((squares(16), squares(16)), distances_um=(100.0,)).rows()[1]
    assert row.n_windows == 0
    assert np.isnan(row.metrics).all()


def test_distances_must_ascend_and_pixels_have_a_size():
    with pytest.raises(ValueError, match="ascending distances above 0"):
        DisplacementCurve(0.25, (1.0, 1.0))
    with pytest.raises(ValueError, match="pixel size above 0, got 0"):
        DisplacementCurve(0)


def table(*jaccards):
    return [
        Displaced(float(k), float(k), MeanMetrics(0, value, 0), MeanMetrics(0, 0, 0), 8)
        for k, value in enumerate(jaccards)
    ]


def test_between_two_distances_a_value_lies_on_the_line():
    rows = table(0.9, 0.7, 0.3)
    assert displacement_um(rows, "jaccard", 0.9) == 0
    assert displacement_um(rows, "jaccard", 0.8) == pytest.approx(0.5)
    assert displacement_um(rows, "jaccard", 0.4) == pytest.approx(1.75)
    assert displacement_um(rows, "jaccard", 0.3) == 2


def test_outside_of_the_table_there_is_no_displacement():
    rows = table(0.9, 0.7, 0.3)
    assert displacement_um(rows, "jaccard", 0.91) is None
    assert displacement_um(rows, "jaccard", 0.29) is None
    assert displacement_um(table(float("nan")), "jaccard", 0.5) is None


def test_a_rise_with_the_distance_counts_as_level():
    rows = table(0.9, 0.5, 0.6, 0.1)
    assert displacement_um(rows, "jaccard", 0.5) == 1
    assert displacement_um(rows, "jaccard", 0.3) == pytest.approx(2.5)
