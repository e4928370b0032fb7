"""What a file says about the size of its pixels."""

import numpy as np
import pytest
import tifffile

from sthelar_build.io.images.pixel_size import stated_um_per_px


@pytest.mark.parametrize(
    ("options", "um_per_px"),
    [
        ({"resolution": (1e4 / 0.25, 1e4 / 0.25), "resolutionunit": "CENTIMETER"}, 0.25),
        ({"resolution": (25400 / 0.5, 25400 / 0.5), "resolutionunit": "INCH"}, 0.5),
        ({"resolution": (72, 72), "resolutionunit": "INCH"}, None),
        ({}, None),
        (
            {"description": "Aperio Image|AppMag = 20|MPP = 0.4990|Left = 2", "metadata": None},
            0.499,
        ),
        ({"ome": True, "metadata": {"PhysicalSizeX": 0.274, "PhysicalSizeXUnit": "µm"}}, 0.274),
        ({"ome": True, "metadata": {"PhysicalSizeX": 274, "PhysicalSizeXUnit": "nm"}}, 0.274),
    ],
)
def test_the_pixel_size_is_what_the_file_says(tmp_path, options, um_per_px):
    image = np.zeros((8, 8, 3), np.uint8)
    tifffile.imwrite(tmp_path / "he.ome.tif", image, photometric="rgb", **options)
    with tifffile.TiffFile(tmp_path / "he.ome.tif") as file:
        found = stated_um_per_px(file)
    assert found == (um_per_px if um_per_px is None else pytest.approx(um_per_px))
