"""Levels of tiles, and images at half their size."""

import numpy as np

from sthelar_build.core.image_pyramid import TileLevel, halved, tile_levels


def test_levels_halve_until_one_tile_holds_all():
    assert tile_levels(5, 3, 2) == (
        TileLevel(5, 3, columns=3, rows=2),
        TileLevel(3, 2, columns=2, rows=1),
        TileLevel(2, 1, columns=1, rows=1),
    )


def test_an_image_smaller_than_a_tile_has_one_level():
    assert tile_levels(2, 2, 2) == (TileLevel(2, 2, 1, 1),)


def test_a_pixel_is_the_mean_of_four_and_halves_are_rounded_up():
    pixels = np.array([[1, 2, 10, 10], [1, 2, 10, 11]], np.uint8)
    assert halved(pixels).tolist() == [[2, 10]]
    assert halved(np.array([[255, 255], [255, 254]], np.uint8)).tolist() == [[255]]


def test_the_last_row_of_an_odd_side_counts_twice():
    assert halved(np.array([[0, 0, 8], [4, 4, 8], [6, 6, 9]], np.uint8)).tolist() == [
        [2, 8],
        [6, 9],
    ]


def test_channels_stay_apart():
    pixels = np.zeros((2, 2, 3), np.uint8)
    pixels[..., 1] = 40
    assert halved(pixels).tolist() == [[[0, 40, 0]]]
