"""Connected parts: numbered as a row-by-row scan meets them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from sthelar_build.core.connected import connected_parts


def test_parts_are_numbered_by_their_first_pixel_in_reading_order():
    mask = np.array([[0, 0, 1], [1, 0, 1], [1, 1, 0]])
    parts, area = connected_parts(mask)
    assert parts.tolist() == [[0, 0, 1], [2, 0, 1], [2, 2, 0]]
    assert area.tolist() == [4, 2, 3]


def test_arms_that_meet_below_are_one_part():
    mask = np.array([[1, 0, 1, 0, 1], [1, 0, 1, 0, 0], [1, 1, 1, 0, 1]], dtype=bool)
    assert connected_parts(mask)[0].tolist() == [[1, 0, 1, 0, 2], [1, 0, 1, 0, 0], [1, 1, 1, 0, 3]]


def test_corners_connect_only_when_asked_to():
    mask = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0]])
    assert len(connected_parts(mask)[1]) - 1 == 3
    assert connected_parts(mask, eight=True)[0].tolist() == mask.tolist()


def test_touching_pixels_of_different_values_are_different_parts():
    values = np.array([[7, 7, 3], [7, 3, 3]])
    assert connected_parts(values)[0].tolist() == [[1, 1, 2], [1, 2, 2]]


def test_an_empty_map_has_background_only():
    assert connected_parts(np.zeros((0, 3), dtype=np.uint8))[1].tolist() == [0]
    assert connected_parts(np.zeros((2, 3), dtype=np.uint8))[1].tolist() == [6]


@given(
    hnp.arrays(
        np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 1)
    )
)
def test_a_mask_is_numbered_as_by_scipy(mask):
    np.testing.assert_array_equal(connected_parts(mask)[0], ndimage.label(mask)[0])
    eight, area = connected_parts(mask, eight=True)
    np.testing.assert_array_equal(eight, ndimage.label(mask, np.ones((3, 3)))[0])
    np.testing.assert_array_equal(area, np.bincount(eight.ravel(), minlength=len(area)))
