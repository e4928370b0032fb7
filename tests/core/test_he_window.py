"""Squares out of a window, by hand."""

import numpy as np

from sthelar_build.core.he_window import HeWindow, touched

PIXELS = np.arange(24, dtype=np.uint8).reshape(4, 6, 1).repeat(3, axis=2)


def test_a_square_lies_where_the_image_has_it():
    window = HeWindow(PIXELS, left_px=10, top_px=20)
    assert window.area(12, 21, 2, 2)[..., 0].tolist() == [[8, 9], [14, 15]]


def test_a_coarser_square_is_the_mean_of_what_it_covers():
    window = HeWindow(PIXELS, left_px=10, top_px=20)
    # 0 1 6 7 and 2 3 8 9, halves up.
    assert window.area(10, 20, 4, 2)[0, :, 0].tolist() == [4, 6]


def test_pixels_that_are_cut_are_touched():
    assert touched(0.5, 2.0, 3.0, 4.5) == (0, 2, 4, 7)
