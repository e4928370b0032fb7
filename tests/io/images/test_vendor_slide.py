"""Formats of scanners, through OpenSlide where it is installed."""

import sys

import numpy as np
import pytest
import tifffile
from PIL import Image

from sthelar_build.errors import InputError
from sthelar_build.io.images.he import open_he
from sthelar_build.io.images.tiff_windows import TileCache
from sthelar_build.io.images.vendor_slide import SUFFIXES, needs_openslide, open_vendor_slide
from sthelar_build.io.ome_tiff import halve

IMAGE = np.random.default_rng(0).integers(0, 255, (256, 384, 3), dtype=np.uint8)


def pyramid(path):
    """A tiled pyramid, which OpenSlide reads by its content whatever the name says."""
    with tifffile.TiffWriter(path) as tiff:
        for number, level in enumerate((IMAGE, halve(IMAGE))):
            per_cm = 1e4 / (0.25 * 2**number)
            options = {"resolution": (per_cm, per_cm), "resolutionunit": "CENTIMETER"}
            tiff.write(
                level,
                photometric="rgb",
                tile=(64, 64),
                subfiletype=min(number, 1),
                metadata=None,
                **options,
            )
    return path


def test_formats_of_scanners_are_told_by_their_suffix(tmp_path):
    assert all(needs_openslide(tmp_path / f"he{suffix}") for suffix in SUFFIXES)
    assert needs_openslide(tmp_path / "HE.NDPI")
    assert not needs_openslide(tmp_path / "he.svs")
    assert not needs_openslide(tmp_path / "he.ome.tif")


def test_without_openslide_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openslide", None)
    path = pyramid(tmp_path / "he.ndpi")
    with (
        pytest.raises(InputError, match=r"he\.ndpi: expected OpenSlide.* pip install"),
        open_he(path),
    ):
        pass


def test_a_slide_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="found no file"), open_he(tmp_path / "he.mrxs"):
        pass


def test_windows_levels_and_pixel_size_come_from_openslide(tmp_path):
    pytest.importorskip("openslide")
    with open_he(pyramid(tmp_path / "he.scn")) as he:
        assert [(v.width_px, v.height_px, v.downsample) for v in he.levels] == [
            (384, 256, 1),
            (192, 128, 2),
        ]
        assert he.um_per_px == pytest.approx(0.25)
        np.testing.assert_array_equal(he.read(0, 0, 384, 256), IMAGE)
        np.testing.assert_array_equal(he.read(33, 17, 70, 90), IMAGE[17:107, 33:103])
        np.testing.assert_array_equal(
            he.read(33, 17, 70, 90, level=1), halve(IMAGE)[17:107, 33:103]
        )
        assert (he.read(-5, -5, 4, 4) == 255).all()


@pytest.mark.parametrize("photometric", ["rgb", "ycbcr"])
def test_the_jpeg_2000_of_aperio_in_ycbcr_gives_rgb_whatever_it_calls_itself(tmp_path, photometric):
    pytest.importorskip("openslide")
    y, x = np.mgrid[0:256, 0:384]
    smooth = np.stack([200 - x / 4, 60 + y / 2, 90 + x / 8], axis=2).astype(np.uint8)
    path = tmp_path / "he.svs"
    tifffile.imwrite(
        path,
        np.asarray(Image.fromarray(smooth).convert("YCbCr")),
        photometric=photometric,
        tile=(128, 128),
        compression=33003,
        compressionargs={"mct": False, "reversible": True, "codecformat": "J2K"},
        description="Aperio Image Library v11.2.1\n384x256|AppMag = 20|MPP = 0.5",
        metadata=None,
    )
    with open_he(path) as he:
        assert he.um_per_px == pytest.approx(0.5)
        assert np.abs(he.read(0, 0, 384, 256).astype(int) - smooth).max() <= 4


@pytest.mark.parametrize("content", [b"", b"not a slide", b"II\x2a\x00\x08\x00\x00\x00"])
def test_what_openslide_cannot_read_is_refused_in_one_line(tmp_path, content):
    pytest.importorskip("openslide")
    (tmp_path / "he.mrxs").write_bytes(content)
    with (
        pytest.raises(InputError, match=r"he\.mrxs: expected a slide that OpenSlide can") as error,
        open_he(tmp_path / "he.mrxs"),
    ):
        pass
    assert "\n" not in str(error.value)


def test_a_real_scan_is_the_same_through_openslide(shared_data):
    pytest.importorskip("openslide")
    path = shared_data / "he" / "CMU-1-Small-Region.svs"
    with open_vendor_slide(path, TileCache(2**26)) as (levels, um_per_px), open_he(path) as he:
        assert um_per_px == pytest.approx(he.um_per_px)
        assert (levels[0].width_px, levels[0].height_px) == (he.width_px, he.height_px)
        found = levels[0].read(700, 1000, 500, 300)[..., :3].astype(int)
        assert np.abs(found - he.read(700, 1000, 500, 300)).max() <= 2
