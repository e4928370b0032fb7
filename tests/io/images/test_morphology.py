"""The DAPI image, window by window."""

import numpy as np
import pytest
import tifffile

from sthelar_build.errors import InputError
from sthelar_build.io.images.morphology import open_morphology


def test_windows_come_from_any_level_and_are_0_outside(tmp_path):
    image = np.random.default_rng(0).integers(0, 60_000, (200, 300), dtype=np.uint16)
    path = tmp_path / "morphology.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as tiff:
        tiff.write(image, subifds=1, tile=(64, 64), compression="jpeg2000", metadata={"axes": "YX"})
        tiff.write(image[::2, ::2], subfiletype=1, tile=(64, 64))
    with open_morphology(path) as dapi:
        assert (dapi.width_px, dapi.height_px) == (300, 200)
        np.testing.assert_array_equal(dapi.read(50, 60, 70, 80), image[60:140, 50:120])
        np.testing.assert_array_equal(dapi.read(5, 6, 7, 8, level=1), image[12:28:2, 10:24:2])
        assert [dapi.level_of_downsample(d) for d in (0.5, 1.9, 2, 64)] == [0, 0, 1, 1]
        corner = dapi.read(298, -1, 4, 3)
    np.testing.assert_array_equal(corner[1:, :2], image[:2, 298:])
    assert not corner[0].any()
    assert not corner[:, 2:].any()


def test_a_stack_or_several_channels_show_the_first(tmp_path):
    stack = np.stack([np.full((64, 64), 7, np.uint16), np.full((64, 64), 9, np.uint16)])
    tifffile.imwrite(tmp_path / "m.ome.tif", stack, metadata={"axes": "CYX"}, tile=(64, 64))
    with open_morphology(tmp_path / "m.ome.tif") as dapi:
        assert (dapi.read(0, 0, 64, 64) == 7).all()


def test_what_is_no_image_is_refused(tmp_path):
    (tmp_path / "m.ome.tif").write_text("no")
    with (
        pytest.raises(InputError, match="morphology image"),
        open_morphology(tmp_path / "m.ome.tif"),
    ):
        pass
