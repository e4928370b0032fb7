"""What the viewer shows of the images; that both lie on each other is tested with the stage."""

import numpy as np
import pytest
import tifffile

from sthelar_build.io.images.he import open_he
from sthelar_build.io.images.morphology import open_morphology
from sthelar_build.io.images.viewer_images import (
    ReducedHe,
    dapi_range,
    finest_downsample,
    grey,
)


@pytest.mark.parametrize(
    ("he_um_per_px", "downsample"), [(0.25, 2), (0.2125, 2), (0.31, 1), (0.7, 1), (0.14, 4)]
)
def test_pixels_are_no_larger_than_asked_for(he_um_per_px, downsample):
    assert finest_downsample(he_um_per_px, 0.6) == downsample


def test_a_reduced_pixel_is_the_mean_of_what_it_covers_and_beyond_lies_white(tmp_path):
    pixels = np.zeros((64, 65, 3), np.uint8)
    pixels[:2, :2] = 40
    pixels[:, 64] = 101
    tifffile.imwrite(tmp_path / "he.tif", pixels, photometric="rgb", tile=(32, 32))
    with open_he(tmp_path / "he.tif") as image:
        reduced = ReducedHe(image, 2)
        assert (reduced.width_px, reduced.height_px) == (33, 32)
        assert reduced.read(0, 0, 2, 1)[0, :, 0].tolist() == [40, 0]
        assert reduced.read(31, 5, 2, 1)[0, :, 2].tolist() == [0, (101 + 255) / 2]


def test_the_range_leaves_out_what_is_rare(tmp_path):
    dapi = np.full((200, 200), 100, np.uint16)
    dapi[:20] = 7
    dapi[100:150] = 900
    dapi[0, :100] = 60000
    tifffile.imwrite(tmp_path / "dapi.tif", dapi, tile=(64, 64))
    with open_morphology(tmp_path / "dapi.tif") as image:
        assert dapi_range(image) == (7.0, 900.0)


def test_an_even_image_has_a_range_too(tmp_path):
    tifffile.imwrite(tmp_path / "dapi.tif", np.full((64, 64), 5, np.uint16), tile=(32, 32))
    with open_morphology(tmp_path / "dapi.tif") as image:
        low, high = dapi_range(image)
    assert low < high


def test_grey_is_black_below_white_above_and_lifts_what_is_dim():
    shown = grey(np.array([[0, 10, 60, 110, 500]], np.float32), (10, 110))
    assert shown.tolist() == [[0, 0, 157, 255, 255]]
