"""PNG bytes keep every value."""

import numpy as np
import pytest

from sthelar_build.io.png import png_bytes, png_pixels


@pytest.mark.parametrize("level", [0, 1, 6, 9])
@pytest.mark.parametrize(
    "pixels",
    [
        np.arange(48, dtype=np.uint8).reshape(4, 4, 3),
        np.array([[0, 255]], dtype=np.uint8),
        np.array([[0, 256], [1, 65535]], dtype=np.uint16),
    ],
    ids=["rgb", "8 bit", "16 bit"],
)
def test_images_come_back_as_they_were(pixels, level):
    found = png_pixels(png_bytes(pixels, level))
    np.testing.assert_array_equal(found, pixels)
    assert found.dtype == pixels.dtype


@pytest.mark.parametrize("sd", [0.2, 9], ids=["flat", "textured"])
def test_a_photograph_comes_back_whichever_way_it_was_compressed(sd):
    noise = np.random.default_rng(0).normal(200, sd, (64, 48, 3))
    pixels = noise.clip(0, 255).astype(np.uint8)
    np.testing.assert_array_equal(png_pixels(png_bytes(pixels, 1)), pixels)


def test_values_that_png_cannot_hold_are_refused():
    with pytest.raises(ValueError, match="uint8 or uint16"):
        png_bytes(np.zeros((2, 2), np.int32), 6)
