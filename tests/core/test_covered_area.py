"""Where transcripts were found, gaps closed."""

import numpy as np

from sthelar_build.core.covered_area import mark, without_gaps


def mask(text):
    return np.array([[letter == "#" for letter in row] for row in text.split()])


def test_the_pixels_in_which_points_lie_are_marked_and_others_passed_over():
    found = np.zeros((2, 4), dtype=bool)
    mark(found, np.array([[0.0, 0.0], [2.9, 1.5], [4.0, 0.0], [-0.1, 1.0], [1.0, 2.0]]))
    np.testing.assert_array_equal(found, mask("#... ..#."))
    mark(found, np.array([[1.0, 0.0]]))
    np.testing.assert_array_equal(found, mask("##.. ..#."))


def test_narrow_gaps_are_closed_and_wide_ones_stay():
    found = mask("""
        ##.##...##
        ##.##...##
        ##.##...##
    """)
    np.testing.assert_array_equal(
        without_gaps(found, 2.5),
        mask("""
        #####...##
        #####...##
        #####...##
    """),
    )


def test_nothing_is_lost_at_the_border_and_nothing_comes_from_beyond():
    found = mask("#....# .##... ......")
    np.testing.assert_array_equal(without_gaps(found, 1), found)
    np.testing.assert_array_equal(without_gaps(mask("..## ..## ..##"), 4), mask("..## ..## ..##"))
    assert not without_gaps(np.zeros((3, 4), dtype=bool), 4).any()
    assert without_gaps(np.ones((3, 4), dtype=bool), 4).all()
