"""Squares around spots: 112 um, whole pixels, the spot in the middle."""

import numpy as np

from sthelar_build.core.spot_squares import squares_around


def test_a_square_is_112_um_wide_and_has_its_spot_in_the_middle():
    squares = squares_around(np.array([[300.6, 250.0], [10.0, 0.0]]), 0.25)
    assert squares.side_he_px == 448
    assert squares.downsample == 2
    assert squares.corners_he_px.tolist() == [[76, 26], [-214, -224]]
    assert squares.boxes().tolist()[0] == [76, 26, 524, 474]


def test_a_side_that_is_no_whole_number_of_pixels_is_rounded():
    assert squares_around(np.zeros((1, 2)), 0.2125).side_he_px == 527
