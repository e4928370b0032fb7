"""Which boxes touch a place."""

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from sthelar_build.core.box_index import BoxIndex

NEAR_AND_FAR = np.array([[0.0, 0, 2, 2], [500, 10, 510, 20], [-40, -40, 300, 300]])


def touching(boxes, box):
    return BoxIndex(np.array(boxes, dtype=float).reshape(-1, 4)).touching(
        np.array(box, dtype=float)
    )


def test_boxes_that_reach_in_are_found_in_their_order():
    assert touching(NEAR_AND_FAR, [1, 1, 600, 600]).tolist() == [0, 1, 2]
    assert touching(NEAR_AND_FAR[::-1], [1, 1, 3, 3]).tolist() == [0, 2]


def test_a_box_that_covers_the_place_is_found():
    assert touching(NEAR_AND_FAR, [200, 200, 201, 201]).tolist() == [2]


def test_boxes_that_share_an_edge_or_a_corner_touch():
    assert touching([[0, 0, 32, 32]], [32, 32, 40, 40]).tolist() == [0]
    assert touching([[32, 32, 40, 40]], [0, 0, 32, 32]).tolist() == [0]


def test_points_are_boxes_without_sides():
    points = np.array([[1.0, 1], [5, 5], [64, 64]])
    assert touching(np.hstack([points, points]), [1, 1, 5, 5]).tolist() == [0, 1]


def test_nothing_touches_a_place_beyond_all_boxes():
    for box in ([-90, 0, -80, 9], [600, 0, 700, 9], [0, -90, 9, -80], [0, 400, 9, 500]):
        assert touching(NEAR_AND_FAR, box).tolist() == []


def test_boxes_without_a_place_are_never_found():
    nowhere = [np.nan] * 4
    assert touching([nowhere, [0, 0, 1, 1]], [-9, -9, 9, 9]).tolist() == [1]
    assert touching([nowhere], [-9, -9, 9, 9]).tolist() == []
    assert touching([], [-9, -9, 9, 9]).tolist() == []


_PLACE = st.integers(-100, 100).map(lambda place: place * 1.6)
_BOX = st.tuples(_PLACE, _PLACE, _PLACE, _PLACE).map(
    lambda ends: (min(ends[0], ends[2]), min(ends[1], ends[3]), max(ends[0], ends[2]), max(ends[1], ends[3]))
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(_BOX, max_size=12), _BOX)
def test_it_finds_what_a_tree_of_shapely_finds(boxes, box):
    rectangles = [shapely.box(*one) for one in boxes]
    expected = [
        row
        for row, one in enumerate(rectangles)
        if shapely.box(*one.bounds).intersects(shapely.box(*box))
    ]
    assert touching(boxes, box).tolist() == expected
