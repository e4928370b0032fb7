"""A JPEG is the picture, nearly."""

import numpy as np
from PIL import Image

from sthelar_build.io.jpeg import write_jpeg


def test_the_picture_can_be_read(tmp_path):
    pixels = np.full((20, 30, 3), (200, 100, 50), dtype=np.uint8)
    write_jpeg(tmp_path / "a.jpeg", pixels, quality=90)
    with Image.open(tmp_path / "a.jpeg") as image:
        assert image.format == "JPEG"
        np.testing.assert_allclose(np.asarray(image), pixels, atol=3)
