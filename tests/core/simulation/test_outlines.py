import numpy as np
import pytest
from shapely import Point, box

from sthelar_build.core.simulation.outlines import around_nuclei, grown_outlines

TWO = np.array([[0.0, 0.0], [8.0, 0.0]])


def test_a_lone_cell_reaches_as_far_as_it_may():
    alone = grown_outlines(np.zeros((1, 2)), np.array([3.0]), np.array([8.0]))[0]
    assert alone.bounds == pytest.approx((-8, -8, 8, 8), abs=0.01)


def test_equal_neighbours_meet_half_way_and_do_not_overlap():
    left, right = grown_outlines(TWO, np.full(2, 3.0), np.full(2, 8.0))
    assert left.bounds[2] == pytest.approx(4)
    assert left.intersection(right).area == pytest.approx(0)


def test_a_larger_nucleus_gets_the_larger_share():
    left, right = grown_outlines(TWO, np.array([4.0, 2.0]), np.full(2, 8.0))
    assert left.bounds[2] == pytest.approx((64 + 16 - 4) / 16)
    assert right.bounds[0] == pytest.approx(left.bounds[2])


def test_a_cell_holds_both_its_nuclei_and_nothing_of_another_cells():
    cells = np.array([box(0, 0, 10, 10), box(10, 0, 20, 10)], dtype=object)
    nuclei = np.array([Point(3, 5).buffer(2), Point(9, 5).buffer(2), Point(15, 5).buffer(2)])
    first, second = around_nuclei(cells, nuclei, np.array([0, 0, 1]))
    assert nuclei[0].difference(first).area == pytest.approx(0, abs=1e-4)
    assert nuclei[1].difference(first).area == pytest.approx(0, abs=1e-4)
    assert nuclei[1].intersection(second).area == pytest.approx(0, abs=1e-4)
    assert first.is_valid
    assert second.is_valid
