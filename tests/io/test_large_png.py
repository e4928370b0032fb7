"""PNG written in bands: any reader sees one image."""

import numpy as np
import pytest
from PIL import Image

from sthelar_build.io.large_png import write_png

PIXELS = np.random.default_rng(0).integers(0, 256, (37, 50, 3), dtype=np.uint8)


@pytest.mark.parametrize("rows", [1, 5, 36, 37, 100])
def test_bands_of_any_height_make_the_image(tmp_path, rows):
    bands = (PIXELS[top : top + rows] for top in range(0, len(PIXELS), rows))
    write_png(tmp_path / "a.png", 50, 37, bands, 0.5)
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(image), PIXELS)


def test_the_size_of_a_pixel_stands_in_the_file(tmp_path):
    write_png(tmp_path / "a.png", 50, 37, [PIXELS], 0.5)
    with Image.open(tmp_path / "a.png") as image:
        # Pillow says dots per inch.
        assert image.info["dpi"][0] == pytest.approx(25400 / 0.5, rel=1e-6)


def test_too_few_rows_and_other_widths_are_refused(tmp_path):
    with pytest.raises(ValueError, match="expected 37 rows, got 36"):
        write_png(tmp_path / "a.png", 50, 37, [PIXELS[:36]], 1)
    with pytest.raises(ValueError, match="bands of"):
        write_png(tmp_path / "b.png", 50, 37, [PIXELS[:, :49]], 1)
