"""Encoding in threads changes nothing but the time."""

import numpy as np
import pytest

from slides import two_slides
from sthelar_build.io.patch_images import encoded
from sthelar_build.io.png import png_pixels


@pytest.mark.parametrize("threads", [1, 3])
def test_every_patch_comes_in_order_with_its_own_image(tmp_path, threads):
    source = two_slides.source_of(tmp_path / "slides")
    found = list(encoded(source, 1, threads))
    assert [patch.name for patch, _ in found] == source.table["name"].tolist()
    for patch, png in found:
        np.testing.assert_array_equal(png_pixels(png), patch.image)
