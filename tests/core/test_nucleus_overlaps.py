import numpy as np
import shapely
from shapely import box

from sthelar_build.core.nucleus_overlaps import kept_parts, overlapping_pairs


def array(*shapes):
    return np.array(shapes, dtype=object)


def test_the_smaller_keeps_what_two_share():
    large, small = kept_parts(array(box(0, 0, 4, 4), box(3, 0, 5, 2)))
    assert (large.area, small.area) == (14, 4)
    assert large.intersection(small).area == 0


def test_of_equal_ones_the_first_keeps_it():
    first, second = kept_parts(array(box(0, 0, 2, 2), box(1, 0, 3, 2)))
    assert (first.area, second.area) == (4, 2)


def test_of_a_pair_that_is_the_same_only_the_first_is_left():
    first, second = kept_parts(array(box(0, 0, 2, 2), box(0, 0, 2, 2)))
    assert first.area == 4
    assert second is None


def test_a_nucleus_may_lose_to_several():
    large, *_ = kept_parts(
        array(box(0, 0, 10, 1), box(1, 0, 2, 1), box(3, 0, 4, 2), box(5, 0, 6, 1))
    )
    assert large.area == 7
    assert shapely.get_num_geometries(large) == 4


def test_neighbours_that_touch_do_not_overlap():
    upper, lower = overlapping_pairs(array(box(0, 0, 2, 2), box(2, 0, 4, 2), box(4, 2, 6, 4)))
    assert len(upper) == len(lower) == 0
    assert [shape.area for shape in kept_parts(array(box(0, 0, 2, 2), box(2, 0, 4, 2)))] == [4, 4]


def test_without_nuclei_nothing_is_kept():
    assert len(kept_parts(np.empty(0, dtype=object))) == 0
