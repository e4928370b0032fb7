"""Entries of instances: boxes, centres, votes, and who has an outline."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sthelar_build.core.instance_entries import contours, instance_entries

MAPS = hnp.arrays(
    np.int32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 3)
)
NO_TYPES = np.zeros((3, 4), dtype=np.uint8)


def entries(instances, types=None):
    instances = np.array(instances)
    return instance_entries(
        instances, np.zeros_like(instances) if types is None else np.array(types)
    )


def test_an_instance_has_a_box_that_ends_after_it_and_a_centre_in_x_and_y():
    found = entries([[0, 0, 0, 0], [0, 7, 7, 7], [0, 7, 7, 7]])
    assert found.ids.tolist() == [7]
    assert found.bbox.tolist() == [[1, 1, 3, 4]]
    assert found.centroid_px.tolist() == [[2.0, 1.5]]


@pytest.mark.parametrize(
    "line",
    [
        [[1, 0, 0], [0, 0, 0], [0, 0, 0]],
        [[1, 1, 1], [0, 0, 0], [0, 0, 0]],
        [[0, 1, 0], [0, 1, 0], [0, 0, 0]],
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[0, 0, 1], [0, 1, 0], [0, 0, 0]],
        [[1, 0, 1], [0, 0, 0], [1, 0, 1]],
    ],
    ids=["pixel", "row", "column", "falling", "rising", "four pixels"],
)
def test_what_is_a_line_has_no_entry(line):
    assert len(entries(line).ids) == 0


def test_a_bend_is_enough_for_an_outline():
    assert entries([[1, 1, 0], [0, 0, 1]]).ids.tolist() == [1]


def test_of_several_parts_the_first_contour_decides():
    square_last = np.array([[5, 0, 0, 0], [0, 0, 5, 5], [0, 0, 5, 5]])
    square_first = np.array([[5, 5, 0, 0], [5, 5, 0, 0], [0, 0, 0, 5]])
    for instances in (square_last, square_first):
        first = cv2.findContours(
            (instances > 0).astype(np.uint8), cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE
        )[0][0]
        assert len(entries(instances).ids) == (len(first) >= 3)
    assert len(entries(square_last).ids) != len(entries(square_first).ids)


def test_the_most_frequent_type_wins_and_the_smaller_of_equals():
    found = entries([[1, 1, 2, 2], [1, 1, 2, 2], [0] * 4], [[3, 3, 4, 4], [3, 1, 2, 2], [0] * 4])
    assert found.type_index.tolist() == [3, 2]
    assert found.type_prob.tolist() == [3 / (4 + 1e-6), 2 / (4 + 1e-6)]


def test_background_gives_way_to_the_runner_up_if_there_is_one():
    found = entries([[1, 1, 2, 2], [1, 1, 2, 2], [0] * 4], [[0, 0, 0, 0], [0, 5, 0, 0], [0] * 4])
    assert found.type_index.tolist() == [5, 0]
    assert found.type_prob[0] == 1 / (4 + 1e-6)


def test_a_map_without_background_has_no_entry_for_its_smallest_id():
    assert entries([[4, 4, 9, 9], [4, 4, 9, 9]]).ids.tolist() == [9]
    assert len(entries([[4, 4], [4, 4]]).ids) == 0


def test_a_map_without_instances_has_no_entries():
    for shape in ((3, 4), (0, 0)):
        found = entries(np.zeros(shape, dtype=int))
        assert [len(part) for part in found] == [0] * 5
        assert found.bbox.shape == (0, 4)


def test_maps_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        instance_entries(np.zeros((2, 2), int), NO_TYPES)


def test_types_beyond_a_byte_are_refused():
    with pytest.raises(ValueError, match="types 0 to 255, got 0 to 300"):
        entries([[0, 1, 1], [0, 1, 1]], [[0, 300, 300], [0, 300, 300]])


def test_contours_are_corners_in_pixels_of_the_map():
    instances = np.array([[0, 0, 0, 0], [0, 3, 3, 3], [0, 3, 3, 3]])
    (found,) = contours(instances, np.array([3]))
    assert found.tolist() == [[1, 1], [1, 2], [3, 2], [3, 1]]
    assert found.dtype == np.int32


def test_contours_of_ids_that_the_map_lacks_are_refused():
    with pytest.raises(ValueError, match=r"found \[3\], which it lacks"):
        contours(NO_TYPES, np.array([3]))


@given(MAPS)
def test_who_has_an_outline_is_what_the_contour_says(instances):
    instances[0, 0] = 0
    known = np.setdiff1d(instances, [0])
    outlined = [len(points) >= 3 for points in contours(instances, known)]
    assert entries(instances).ids.tolist() == known[outlined].tolist()
