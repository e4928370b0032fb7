"""Edge energies of a whole H&E are those of its tissue, whatever the bands in which it is read."""

import numpy as np
import pytest
import tifffile

from sthelar_build.core.focus import edge_energies
from sthelar_build.io.images import focus
from sthelar_build.io.images.focus import tissue_edges
from sthelar_build.io.images.he import open_he

UM_PER_PX = 0.5
WIDTH, HEIGHT = 240, 160


@pytest.fixture
def he(tmp_path):
    pixels = np.random.default_rng(0).integers(90, 220, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "he.tif", pixels, photometric="rgb", tile=(64, 64))
    with open_he(tmp_path / "he.tif") as image:
        yield image


def test_every_mask_pixel_sums_its_area_and_what_is_no_tissue_is_zero(he):
    tissue = np.ones((10, 15), dtype=bool)
    tissue[:, 3] = False
    found = tissue_edges(he, UM_PER_PX, tissue)
    whole = edge_energies(he.read(0, 0, WIDTH, HEIGHT), UM_PER_PX)
    expected = whole.reshape(2, 10, 16, 15, 16).sum(axis=(2, 4)) * tissue
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert not found[:, :, 3].any()


def test_bands_and_glass_beside_the_tissue_change_nothing(he, monkeypatch):
    tissue = np.zeros((10, 15), dtype=bool)
    tissue[2:9, 4:8] = True
    whole = tissue_edges(he, UM_PER_PX, tissue)
    monkeypatch.setattr(focus, "_BAND_PX", 32)
    np.testing.assert_allclose(tissue_edges(he, UM_PER_PX, tissue), whole, rtol=1e-4)


def test_a_mask_that_does_not_divide_the_image_covers_it_all(he):
    whole = edge_energies(he.read(0, 0, WIDTH, HEIGHT), UM_PER_PX).sum(axis=(1, 2))
    found = tissue_edges(he, UM_PER_PX, np.ones((7, 13), dtype=bool)).sum(axis=(1, 2))
    np.testing.assert_allclose(found, whole, rtol=1e-4)


def test_a_slide_without_tissue_is_not_read(he):
    assert not tissue_edges(he, UM_PER_PX, np.zeros((10, 15), dtype=bool)).any()
    assert he.tiles_decoded == 0
