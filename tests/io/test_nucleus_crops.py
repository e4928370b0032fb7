import numpy as np
import pytest
import tifffile

from sthelar_build.io import nucleus_crops
from sthelar_build.io.images.he import open_he
from sthelar_build.io.nucleus_crops import Crops, crop_features, cut, stretches

PIXELS = np.random.default_rng(0).integers(0, 256, (80, 200, 3), dtype=np.uint8)
CENTRES = np.array([[150.0, 60], [20, 10], [30, 14], [2, 70], [160, 12]])
CROPS = Crops(np.array([5, 7, 8, 9, 11]), CENTRES, 8.0)


@pytest.fixture
def he(tmp_path):
    tifffile.imwrite(tmp_path / "he.tif", PIXELS, photometric="rgb", tile=(64, 64))
    with open_he(tmp_path / "he.tif") as image:
        yield image


def test_the_square_is_centred_on_the_nucleus(he):
    found = cut(he, CROPS, np.array([1, 2]), 8)
    np.testing.assert_array_equal(found, [PIXELS[6:14, 16:24], PIXELS[10:18, 26:34]])


def test_a_pixel_is_the_mean_of_what_it_covers(he):
    found = cut(he, CROPS, np.array([1]), 4)
    expected = PIXELS[6:14, 16:24].reshape(4, 2, 4, 2, 3).mean(axis=(1, 3))
    np.testing.assert_array_equal(found[0], np.floor(expected + 0.5))


def test_what_overruns_the_image_is_white(he):
    found = cut(he, CROPS, np.array([3]), 8)[0]
    assert (found[:, :2] == 255).all()
    np.testing.assert_array_equal(found[:, 2:], PIXELS[66:74, :6])


def test_stretches_go_band_by_band_and_hold_every_nucleus_once(monkeypatch):
    monkeypatch.setattr(nucleus_crops, "_BAND_HE_PX", 40)
    monkeypatch.setattr(nucleus_crops, "_MOST_WIDTH_HE_PX", 50)
    assert [part.tolist() for part in stretches(CROPS)] == [[1, 2], [4], [3], [0]]


def test_a_stretch_has_few_crops(monkeypatch):
    monkeypatch.setattr(nucleus_crops, "_MOST_CROPS", 2)
    assert [part.tolist() for part in stretches(CROPS)] == [[3, 1], [2, 0], [4]]


def test_every_nucleus_gets_the_features_of_its_square(he):
    def mean_colour(images):
        return images.mean(axis=(1, 2), dtype=np.float32)

    found = list(crop_features(he, CROPS, 8, mean_colour, threads=2))
    by_id = {i: f for part in found for i, f in zip(part.nucleus_ids, part.features, strict=True)}
    assert set(by_id) == {5, 7, 8, 9, 11}
    np.testing.assert_allclose(by_id[8], PIXELS[10:18, 26:34].mean(axis=(0, 1)), rtol=1e-6)
