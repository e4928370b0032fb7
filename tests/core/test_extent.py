"""Micrometres, pixels and millimetres are told apart by the size of the image."""

import numpy as np
import pytest

from sthelar_build.core.extent import Extent

X_UM, Y_UM = np.array([0.5, 40.0, 99.0]), np.array([10.0, 150.0, 199.0])


def flaw(x, y):
    extent = Extent(100, 200)
    extent.add(np.array(x), np.array(y))
    return extent.flaw()


def test_points_inside_are_right():
    assert flaw(X_UM, Y_UM) is None


def test_no_points_are_right():
    assert flaw([], []) is None


def test_one_point_near_the_origin_is_right():
    assert flaw([1.0], [1.0]) is None


def test_points_that_stick_out_a_little_are_right():
    assert flaw(X_UM + 4, Y_UM + 8) is None


@pytest.mark.parametrize(("factor", "n_outside"), [(1 / 0.2125, 2), (1000, 3)])
def test_larger_units_run_out_of_the_image(factor, n_outside):
    assert f"found {n_outside} of 3 outside" in flaw(X_UM * factor, Y_UM * factor)


def test_the_wrong_side_of_the_origin_is_outside():
    assert "x -99 to -0.5" in flaw(-X_UM, Y_UM)


def test_millimetres_lie_in_the_corner():
    assert "millimetres" in flaw(X_UM / 1000, Y_UM / 1000)


def test_a_few_far_away_among_many_are_let_through_and_more_are_not():
    x, y = np.full(100, 50.0), np.full(100, 50.0)
    x[:5] = 1e6
    assert flaw(x, y) is None
    x[5] = 1e6
    assert "found 6 of 100 outside" in flaw(x, y)


def test_points_may_come_in_parts():
    extent = Extent(100, 200)
    extent.add(X_UM, Y_UM)
    extent.add(X_UM * 1000, Y_UM * 1000)
    assert "found 3 of 6 outside" in extent.flaw()
