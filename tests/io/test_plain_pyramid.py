"""A pyramid that is written in strips is the image, level by level."""

from itertools import pairwise

import numpy as np
import pytest
import tifffile

from sthelar_build.io.images.he import open_he
from sthelar_build.io.ome_tiff import halve
from sthelar_build.io.plain_pyramid import level_shapes, write_plain_pyramid


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (700, 1031, 3), dtype=np.uint8)


def written(folder, pixels, threads=1, name="out.tif"):
    source = folder / "he.tif"
    tifffile.imwrite(source, pixels, photometric="rgb", tile=(128, 128))
    with open_he(source) as he:
        write_plain_pyramid(folder / name, he, 0.25, threads)
    return folder / name


def test_level_0_is_the_image_and_every_other_half_of_the_one_before(tmp_path, pixels):
    path = written(tmp_path, pixels)
    with tifffile.TiffFile(path) as tiff:
        levels = [page.asarray() for page in tiff.pages]
    assert [level.shape[:2] for level in levels] == [(700, 1031), (350, 515), (175, 257), (87, 128)]
    np.testing.assert_array_equal(levels[0], pixels)
    for larger, smaller in pairwise(levels):
        np.testing.assert_array_equal(smaller, halve(larger))


def test_levels_are_plain_directories_of_small_tiles_with_their_resolution(tmp_path, pixels):
    with tifffile.TiffFile(written(tmp_path, pixels)) as tiff:
        assert not tiff.is_bigtiff
        for level, page in enumerate(tiff.pages):
            assert (page.tilelength, page.tilewidth) == (256, 256)
            assert page.compression.name == "LZW"
            assert page.subfiletype == (1 if level else 0)
            per_cm = page.tags["XResolution"].value
            assert per_cm[0] / per_cm[1] == pytest.approx(1e4 / (0.25 * 2**level), rel=1e-6)
            assert page.tags["ResolutionUnit"].value.name == "CENTIMETER"
            assert page.subifds is None


def test_our_own_reader_finds_levels_and_pixel_size(tmp_path, pixels):
    with open_he(written(tmp_path, pixels)) as he:
        assert len(he.levels) == 4
        assert he.um_per_px == pytest.approx(0.25)


def test_threads_do_not_change_a_byte_and_nothing_is_left_beside(tmp_path, pixels):
    one = written(tmp_path, pixels).read_bytes()
    assert written(tmp_path, pixels, threads=3, name="again.tif").read_bytes() == one
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again.tif", "he.tif", "out.tif"]


def test_an_image_that_fits_into_a_tile_has_one_level(tmp_path, pixels):
    with tifffile.TiffFile(written(tmp_path, pixels[:200, :256])) as tiff:
        assert len(tiff.pages) == 1


def test_a_long_strip_is_halved_until_it_is_a_pixel_high():
    assert level_shapes(3, 2000) == [(3, 2000), (1, 1000)]
