"""Patches of spots in an h5 of HEST's datasets."""

import h5py
import numpy as np
import pytest
import tifffile

from sthelar_build.core.spot_squares import squares_around
from sthelar_build.errors import InputError
from sthelar_build.io.images.he import open_he
from sthelar_build.io.spot_patches import patch_middles, write_spot_patches

PIXELS = np.random.default_rng(0).integers(0, 256, (600, 700, 3), dtype=np.uint8)
CENTRES = np.array([[300.0, 280.0], [30.0, 40.0]])


@pytest.fixture
def he(tmp_path):
    tifffile.imwrite(tmp_path / "he.tif", PIXELS, photometric="rgb", tile=(64, 64))
    with open_he(tmp_path / "he.tif") as image:
        yield image


def test_a_patch_is_the_mean_of_the_square_around_its_spot(he, tmp_path):
    squares = squares_around(CENTRES, 0.25)
    write_spot_patches(tmp_path / "s.h5", he, squares, ["000x001", "000x002"], 0.25, 2)
    with h5py.File(tmp_path / "s.h5") as file:
        images, coords = file["img"], file["coords"]
        assert (images.shape, images.dtype, images.chunks) == (
            (2, 224, 224, 3), np.uint8, (1, 224, 224, 3),
        )  # fmt: skip
        assert coords.dtype == np.int64
        assert coords[:].tolist() == [[76, 56], [-194, -184]]
        assert file["barcode"].asstr()[:].tolist() == [["000x001"], ["000x002"]]
        assert dict(images.attrs) == {
            "patch_size_src": 448, "patch_size_target": 224, "downsample": 2.0, "pixel_size": 0.25,
            "name": "s",
        }  # fmt: skip
        square = PIXELS[56 : 56 + 448, 76 : 76 + 448].astype(int)
        mean = (square.reshape(224, 2, 224, 2, 3).sum(axis=(1, 3)) + 2) // 4
        np.testing.assert_array_equal(images[0], mean)
        assert (images[1][:90, :90] == 255).all()


def test_no_spots_are_empty_datasets(he, tmp_path):
    squares = squares_around(np.empty((0, 2)), 0.25)
    write_spot_patches(tmp_path / "s.h5", he, squares, [], 0.25, 1)
    with h5py.File(tmp_path / "s.h5") as file:
        assert file["img"].shape == (0, 224, 224, 3)
        assert file["barcode"].maxshape == (None, 1)
    assert len(patch_middles(tmp_path / "s.h5")) == 0


def test_the_middle_of_a_patch_is_its_spot_and_other_files_are_refused(he, tmp_path):
    squares = squares_around(CENTRES, 0.25)
    write_spot_patches(tmp_path / "s.h5", he, squares, ["000x001", "000x002"], 0.25, 1)
    middles = patch_middles(tmp_path / "s.h5")
    assert middles.index.tolist() == ["000x001", "000x002"]
    np.testing.assert_array_equal(middles, CENTRES)
    with h5py.File(tmp_path / "s.h5", "r+") as file:
        file["barcode"].resize(1, axis=0)
    with pytest.raises(InputError, match="a barcode for each spot"):
        patch_middles(tmp_path / "s.h5")
