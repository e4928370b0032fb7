import numpy as np
import pytest
import shapely
from shapely import MultiPolygon, Polygon, box

from sthelar_build.core.polygons import gathered, polygons_from_rings, repair, unite

KEYHOLE = [
    (0, 5), (0, 0), (10, 0), (10, 10), (0, 10), (0, 5),
    (4, 5), (4, 6), (6, 6), (6, 4), (4, 4), (4, 5), (0, 5),
]  # fmt: skip
BOW_TIE = Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])


def as_array(*geometries):
    array = np.empty(len(geometries), dtype=object)
    array[:] = geometries
    return array


def test_open_and_closed_rings_give_the_same_polygon():
    square = [(0, 0), (1, 0), (1, 1), (0, 1)]
    vertices = np.array([*square, *square, square[0]], dtype=np.float32)
    first, second = polygons_from_rings(vertices, np.array([4, 5]))
    assert first.equals(box(0, 0, 1, 1))
    assert second.equals(box(0, 0, 1, 1))


@pytest.mark.parametrize("ring", [[], [(0, 0)], [(0, 0), (1, 1)], [(0, 0), (1, 1), (0, 0)]])
def test_a_ring_of_fewer_than_three_corners_is_no_polygon_and_leaves_the_others_alone(ring):
    square = [(0, 0), (1, 0), (1, 1), (0, 1)]
    vertices = np.array([*square, *ring, *square], dtype=float)
    polygons = polygons_from_rings(vertices, np.array([4, len(ring), 4]))
    assert polygons[1] is None
    assert shapely.area(polygons[[0, 2]]).tolist() == [1, 1]


def test_a_bow_tie_becomes_its_two_triangles():
    (mended,), (was_invalid,) = repair(as_array(BOW_TIE))
    assert isinstance(mended, MultiPolygon)
    assert (mended.area, was_invalid) == (2.0, True)


def test_a_ring_that_runs_into_a_hole_becomes_a_polygon_with_that_hole():
    (mended,), _ = repair(as_array(Polygon(KEYHOLE)))
    assert isinstance(mended, Polygon)
    assert mended.equals(box(0, 0, 10, 10) - box(4, 4, 6, 6))


def test_a_valid_polygon_is_left_as_it_is():
    square = box(0, 0, 1, 1)
    (kept,), (was_invalid,) = repair(as_array(square))
    assert kept is square
    assert not was_invalid


def test_what_has_no_area_is_none_and_the_others_keep_their_place():
    flat = Polygon([(0, 0), (1, 1), (2, 2)])
    geometries, _ = repair(as_array(flat, BOW_TIE, None, box(0, 0, 1, 1)))
    assert [geometry is None for geometry in geometries] == [True, False, True, False]


def test_a_spike_is_cut_off():
    spiked = Polygon([(0, 0), (2, 0), (5, 0), (2, 0), (2, 2), (0, 2)])
    (mended,), (was_invalid,) = repair(as_array(spiked))
    assert mended.equals(box(0, 0, 2, 2))
    assert was_invalid


def test_parts_are_gathered_by_row_and_joined_where_there_are_several():
    parts = as_array(box(0, 0, 1, 1), box(5, 5, 6, 6), box(1, 0, 2, 1))
    united = unite(np.array([2, 0, 2]), parts, 4)
    assert united[0] is parts[1]
    assert united[1] is united[3] is None
    assert united[2].equals(box(0, 0, 2, 1))


def test_no_parts_give_none_everywhere():
    assert unite(np.empty(0, dtype=np.int64), as_array(), 2).tolist() == [None, None]


def test_polygons_are_gathered_by_group_and_one_alone_stays_a_polygon():
    squares = np.array([box(x, 0, x + 1, 1) for x in (0, 2, 4)])
    one, two = gathered(squares, np.array([0, 1, 1]))
    assert one == squares[0]
    assert two == MultiPolygon([squares[1], squares[2]])
