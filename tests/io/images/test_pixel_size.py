"""What a file says about the size of its pixels."""

from types import SimpleNamespace

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
        ({"ome": True, "metadata": {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "pixel"}}, None),
        ({"ome": True, "metadata": {"PhysicalSizeX": 4e4, "PhysicalSizeXUnit": "µm"}}, None),
        ({"imagej": True, "resolution": (4, 4), "metadata": {"unit": "um"}}, 0.25),
        ({"imagej": True, "resolution": (4, 4), "metadata": {"unit": "inch"}}, None),
        ({"resolution": (4, 4), "resolutionunit": "NONE"}, None),
        ({"resolution": (0, 0), "resolutionunit": "INCH"}, None),
        ({"description": "Aperio Image|MPP = ...", "metadata": None}, None),
    ],
)
def test_the_pixel_size_is_what_the_file_says(tmp_path, options, um_per_px):
    image = np.zeros((8, 8, 3), np.uint8)
    tifffile.imwrite(tmp_path / "he.ome.tif", image, photometric="rgb", **options)
    with tifffile.TiffFile(tmp_path / "he.ome.tif") as file:
        found = stated_um_per_px(file)
    assert found == (um_per_px if um_per_px is None else pytest.approx(um_per_px))


def test_the_tags_are_asked_where_the_metadata_are_absurd(tmp_path):
    options = {"metadata": {"PhysicalSizeX": 0}, "resolution": (4e4, 4e4), "resolutionunit": 3}
    tifffile.imwrite(tmp_path / "he.ome.tif", np.zeros((8, 8, 3), np.uint8), **options)
    with tifffile.TiffFile(tmp_path / "he.ome.tif") as file:
        assert stated_um_per_px(file) == pytest.approx(0.25)


@pytest.mark.parametrize(
    "text",
    [
        '<OME xmlns="x"><Image><Pixels SizeX="8" PhysicalSizeX="a quarter"/></Image></OME>',
        '<OME xmlns="x"><Image/></OME>',
        '<OME xmlns="x"><Image>',
    ],
)
def test_metadata_that_are_broken_say_nothing(text):
    page = SimpleNamespace(
        description=text, tags=SimpleNamespace(valueof=lambda *_, default: default)
    )
    file = SimpleNamespace(is_ome=True, ome_metadata=text, is_imagej=False)
    assert stated_um_per_px(file, page) is None


def test_of_several_images_the_largest_is_asked():
    text = (
        '<OME xmlns="x"><Image><Pixels SizeX="80" PhysicalSizeX="2.0"/></Image>'
        '<Image><Pixels SizeX="800" PhysicalSizeX="0.2"/></Image></OME>'
    )
    file = SimpleNamespace(is_ome=True, ome_metadata=text, is_imagej=False)
    page = SimpleNamespace(
        description="", tags=SimpleNamespace(valueof=lambda *_, default: default)
    )
    assert stated_um_per_px(file, page) == 0.2
