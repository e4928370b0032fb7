"""Rows before compression, on images that can be worked out by hand."""

import numpy as np

from sthelar_build.core.png_rows import filtered_map, filtered_photograph


def test_the_first_row_of_a_photograph_is_the_difference_to_the_pixel_on_the_left():
    pixels = np.array([[[10, 20, 30], [12, 19, 30]]], dtype=np.uint8)
    assert filtered_photograph(pixels).tolist() == [[4, 10, 20, 30, 2, 255, 0]]


def test_paeth_guesses_from_the_left_above_or_the_corner_whichever_is_nearest():
    red = np.array([[10, 20], [30, 45]], dtype=np.uint8)
    pixels = np.stack([red, red, red], axis=-1)
    # Left 30, above 20, corner 10: 30 + 20 - 10 = 40, and the left is nearest to it.
    assert filtered_photograph(pixels)[1].tolist() == [4, 20, 20, 20, 15, 15, 15]


def test_a_map_is_the_difference_to_the_row_above():
    assert filtered_map(np.array([[1, 2], [1, 0]], dtype=np.uint8)).tolist() == [
        [2, 1, 2],
        [2, 0, 254],
    ]


def test_sixteen_bits_come_with_the_high_byte_first():
    assert filtered_map(np.array([[258, 3]], dtype=np.uint16)).tolist() == [[2, 1, 2, 0, 3]]
