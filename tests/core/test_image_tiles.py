import numpy as np
from shapely import box

from sthelar_build.core.image_tiles import Box, Found, cores, each_once, of_tile

IMAGE = Box(0, 0, 100, 50)


def found(*rows):
    shapes, core, whole, tile = zip(*rows, strict=True)
    return Found(np.array(shapes, dtype=object), np.array(core), np.array(whole), np.array(tile))


def kept(*rows, max_overlap=0.25):
    return [shape.bounds for shape in each_once(found(*rows), max_overlap)]


def test_tiles_cover_the_image_once():
    tiles = cores(IMAGE, 40)
    assert [(t.left, t.top, t.width, t.height) for t in tiles] == [
        (0, 0, 40, 40), (40, 0, 40, 40), (80, 0, 20, 40),
        (0, 40, 40, 10), (40, 40, 40, 10), (80, 40, 20, 10),
    ]  # fmt: skip


def test_a_margin_ends_with_the_image():
    assert Box(40, 0, 80, 40).grown(15, IMAGE) == Box(25, 0, 95, 50)


def test_a_tile_takes_what_has_its_centre_in_it_or_just_beyond():
    shapes = np.array([box(10, 10, 20, 20), box(38, 10, 44, 20), box(48, 10, 54, 20)], dtype=object)
    mine = of_tile(shapes, 3, Box(0, 0, 40, 40), Box(0, 0, 60, 50), IMAGE, slack_px=4)
    assert [shape.bounds[0] for shape in mine.shapes] == [10, 38]
    assert mine.core.tolist() == [True, False]
    assert mine.tile.tolist() == [3, 3]


def test_what_the_window_cuts_is_not_whole_but_what_the_image_ends_is():
    shapes = np.array([box(40, 10, 44, 20), box(0, 10, 4, 20), box(50, 10, 60, 20)], dtype=object)
    mine = of_tile(shapes, 0, Box(0, 0, 60, 40), Box(0, 0, 60, 50), IMAGE, slack_px=4)
    assert mine.whole.tolist() == [True, True, False]


def test_of_the_same_object_in_two_tiles_the_one_in_its_core_stays():
    same = box(8, 0, 14, 6)
    assert kept((same, False, True, 0), (same, True, True, 1)) == [same.bounds]


def test_what_two_tiles_place_in_both_their_cores_stays_once_and_what_neither_does_stays_too():
    assert kept((box(0, 0, 10, 6), True, True, 0), (box(1, 0, 10, 6), True, True, 1)) == [
        (0, 0, 10, 6)
    ]
    assert kept((box(0, 0, 10, 6), False, True, 0), (box(1, 0, 10, 6), False, True, 1)) == [
        (0, 0, 10, 6)
    ]


def test_a_whole_object_goes_before_a_cut_one():
    assert kept((box(0, 0, 5, 6), True, False, 0), (box(0, 0, 9, 6), False, True, 1)) == [
        (0, 0, 9, 6)
    ]


def test_neighbours_that_share_a_little_both_stay():
    assert len(kept((box(0, 0, 10, 6), True, True, 0), (box(9, 0, 20, 6), True, True, 1))) == 2


def test_objects_of_one_tile_never_put_each_other_out():
    assert len(kept((box(0, 0, 10, 6), True, True, 0), (box(0, 0, 9, 6), True, True, 0))) == 2


def test_what_is_out_puts_nothing_out():
    # The first beats the second, which alone overlaps the third.
    chain = [
        (box(0, 0, 20, 6), True, True, 0),
        (box(12, 0, 28, 6), True, True, 1),
        (box(22, 0, 32, 6), True, True, 2),
    ]
    assert kept(*chain) == [(0, 0, 20, 6), (22, 0, 32, 6)]


def test_they_come_by_row_then_column_and_none_is_fine():
    rows = [
        (box(9, 9, 10, 10), True, True, 0),
        (box(5, 0, 6, 1), True, True, 0),
        (box(0, 0, 1, 1), True, True, 1),
    ]
    assert [bounds[0] for bounds in kept(*rows)] == [0, 5, 9]
    empty = Found(np.empty(0, object), np.empty(0, bool), np.empty(0, bool), np.empty(0, np.int64))
    assert len(each_once(empty, 0.25)) == 0
