"""Polygons as flat arrays."""

import numpy as np
from shapely import MultiPolygon, Polygon, box

from sthelar_build.core.outlines import Outlines, ranges


def test_ranges_of_numbers_follow_each_other():
    assert ranges(np.array([5, 0, 9]), np.array([2, 0, 3])).tolist() == [5, 6, 9, 10, 11]


def test_outlines_can_be_taken_in_any_order():
    holed = Polygon(box(0, 0, 5, 5).exterior, [box(2, 2, 3, 3).exterior])
    outlines = Outlines.of([box(0, 0, 1, 1), holed, box(7, 7, 9, 9)])
    taken = outlines.take(np.array([2, 1]))
    assert len(taken) == 2
    assert taken.start.tolist() == [0, 5, 15]
    assert taken.ends_ring.nonzero()[0].tolist() == [4, 9, 14]
    assert taken.vertices[0].tolist() == outlines.vertices[15].tolist()


def test_outlines_of_parts_are_those_of_the_whole():
    shapes = [box(0, 0, 1, 1), box(0, 0, 4, 4).difference(box(1, 1, 2, 2)), box(3, 3, 5, 5)]
    parts = [Outlines.of(shapes[:1]), Outlines.of([]), Outlines.of(shapes[1:])]
    joined, whole = Outlines.joined(parts), Outlines.of(shapes)
    np.testing.assert_array_equal(joined.vertices, whole.vertices)
    np.testing.assert_array_equal(joined.ends_ring, whole.ends_ring)
    assert joined.start.tolist() == whole.start.tolist()


def test_boxes_hold_every_ring_of_a_polygon_and_an_empty_one_has_none():
    apart = MultiPolygon([box(0, 1, 2, 3), box(8, 0, 9, 1)])
    found = Outlines.of([apart, Polygon(), box(-1, -2, 5, 6)]).boxes()
    assert found[[0, 2]].tolist() == [[0, 0, 9, 3], [-1, -2, 5, 6]]
    assert np.isnan(found[1]).all()
    assert Outlines.of([]).boxes().shape == (0, 4)


def test_every_ring_is_taken_out_once():
    holed = Polygon(box(0, 0, 5, 5).exterior, [box(2, 2, 3, 3).exterior])
    rings = Outlines.of([holed, box(7, 7, 9, 9)]).rings()
    assert [len(ring) for ring in rings] == [5, 5, 5]
    assert rings[2].max() == 9
    assert Outlines.of([]).rings() == []
