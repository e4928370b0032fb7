"""One picture in every form that scanners and programs write: the same colours at every level, in every window."""

import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from sthelar_build.errors import InputError
from sthelar_build.io.images.he import open_he
from sthelar_build.io.ome_tiff import halve

HEIGHT, WIDTH = 192, 256
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH]
PICTURE = np.stack(
    [200 - X / 4, 120 + 60 * np.sin(Y / 30), 90 + X / 4 + Y / 4], axis=2
).astype(np.uint8)  # fmt: skip
LEVELS = [PICTURE, halve(PICTURE), halve(halve(PICTURE))]
TILES = {"tile": (64, 64)}
RGB = {"photometric": "rgb"}
YCBCR = {"photometric": "ycbcr", "compression": "jpeg", "compressionargs": {"level": 95}}
APART = {"planarconfig": "separate"}


def one(path, **options):
    """A single image, without a pyramid."""
    tifffile.imwrite(path, PICTURE, **{**RGB, **options})
    return LEVELS[:1]


def one_of_planes(path, **options):
    tifffile.imwrite(path, colours_first(PICTURE), **{**RGB, **options})
    return LEVELS[:1]


def with_alpha(path, **options):
    opaque = np.dstack([PICTURE, np.full((HEIGHT, WIDTH), 255, np.uint8)])
    tifffile.imwrite(path, opaque, photometric="rgb", extrasamples=["unassalpha"], **options)
    return LEVELS[:1]


def in_ycbcr(path, **options):
    ycbcr = np.asarray(Image.fromarray(PICTURE).convert("YCbCr"))
    tifffile.imwrite(path, ycbcr, **YCBCR, **options)
    return LEVELS[:1]


def sub_ifds(path, levels=LEVELS, **options):
    """SubIFDs under the first image, as OME-TIFF has them."""
    named = options.pop("metadata", None)
    with tifffile.TiffWriter(path, ome=".ome" in path.name) as tiff:
        tiff.write(levels[0], subifds=len(levels) - 1, metadata=named, **options)
        for level in levels[1:]:
            tiff.write(level, subfiletype=1, **options)
    return LEVELS


def series(path, levels=LEVELS, order=(0, 1, 2), **options):
    """An image a level, in any order."""
    with tifffile.TiffWriter(path, ome=".ome" in path.name) as tiff:
        for number in order:
            tiff.write(levels[number], **options)
    return LEVELS


def of_planes(write):
    return lambda path, **options: write(path, [colours_first(v) for v in LEVELS], **options)


def colours_first(image):
    return np.ascontiguousarray(np.moveaxis(image, 2, 0))


def form(write, name="he.tif", tolerance=0, **options):
    return write, name, tolerance, options


OME, CYX = "he.ome.tif", {"photometric": "minisblack", "metadata": {"axes": "CYX"}}
FORMS = {
    "tiles": form(one, **TILES),
    "one strip": form(one),
    "strips": form(one, rowsperstrip=16, compression="lzw"),
    "big-endian": form(one, byteorder=">", **TILES, compression="lzw"),
    "BigTIFF": form(one, bigtiff=True, **TILES),
    "LZW with predictor": form(one, **TILES, compression="lzw", predictor=2),
    "deflate": form(one, **TILES, compression="zlib"),
    "zstd": form(one, **TILES, compression="zstd"),
    "packbits": form(one, **TILES, compression="packbits"),
    "lossless WebP": form(one, **TILES, compression="webp"),
    "lossless JPEG 2000": form(one, **TILES, compression="jpeg2000"),
    "lossy JPEG 2000": form(one, tolerance=12, **TILES, compression="jpeg2000", compressionargs={"level": 45}),
    "JPEG 2000 of Aperio": form(one, "he.svs", **TILES, compression=33005),
    "JPEG in RGB": form(one, tolerance=6, **TILES, compression="jpeg"),
    "JPEG in YCbCr": form(in_ycbcr, tolerance=8, **TILES, subsampling=(1, 1)),
    "JPEG in YCbCr, 4:2:0": form(in_ycbcr, tolerance=8, **TILES, subsampling=(2, 2)),
    "JPEG in YCbCr, 4:2:2, strips": form(in_ycbcr, tolerance=8, rowsperstrip=16, subsampling=(2, 1)),
    "planes": form(one_of_planes, **APART),
    "planes in strips": form(one_of_planes, **APART, rowsperstrip=16, compression="zlib"),
    "planes in tiles": form(one_of_planes, **APART, **TILES, compression="lzw", predictor=2),
    "RGBA": form(with_alpha, **TILES, compression="lzw"),
    "SubIFDs": form(sub_ifds, **RGB, **TILES, compression="zlib"),
    "image a level": form(series, **RGB, **TILES, metadata=None),
    "image a level, thumbnail second": form(series, order=(0, 2, 1), **RGB, **TILES, metadata=None),
    "image a level, largest last": form(series, order=(2, 1, 0), **RGB, **TILES, metadata=None),
    "image a level, BigTIFF strips": form(series, **RGB, compression="zlib", rowsperstrip=16, metadata=None),
    "OME, YXC, SubIFDs": form(sub_ifds, OME, **RGB, **TILES),
    "OME, CYX planes, SubIFDs": form(of_planes(sub_ifds), OME, **RGB, **APART, **TILES),
    "OME, CYX channels, SubIFDs": form(of_planes(sub_ifds), OME, **CYX, **TILES),
    "OME, YXC, image a level": form(series, OME, **RGB, **TILES),
    "OME, CYX planes, image a level": form(of_planes(series), OME, **RGB, **APART, **TILES),
    "OME, CYX channels, image a level": form(of_planes(series), OME, **CYX, **TILES),
    "OME, one channel image": form(one_of_planes, OME, **CYX, **TILES, compression="zlib"),
    "OME, untiled": form(one, OME, metadata={"axes": "YXS"}),
}  # fmt: skip


def write_form(folder, name):
    write, file, tolerance, options = FORMS[name]
    return folder / file, write(folder / file, **options), tolerance


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_same_colours_at_every_level_and_window(tmp_path, name):
    path, levels, tolerance = write_form(tmp_path, name)
    with open_he(path) as he:
        assert [(v.height_px, v.width_px) for v in he.levels] == [v.shape[:2] for v in levels]
        assert [v.downsample for v in he.levels] == [1, 2, 4][: len(levels)]
        for number, expected in enumerate(levels):
            tall, wide = expected.shape[:2]
            for x, y, width, height in [(0, 0, wide, tall), (wide // 3, tall // 5, 17, 29)]:
                found = he.read(x, y, width, height, number).astype(int)
                apart = np.abs(found - expected[y : y + height, x : x + width])
                assert apart.max() <= tolerance


@pytest.mark.parametrize("name", FORMS)
def test_every_form_that_was_cut_short_is_refused_when_it_is_opened(tmp_path, name):
    path, _, _ = write_form(tmp_path, name)
    data = path.read_bytes()
    for share in (0.0, 0.001, 0.01, 0.2, 0.5, 0.8, 0.95, 0.999):
        path.write_bytes(data[: int(share * len(data))])
        with pytest.raises(InputError) as error, open_he(path):
            pass
        assert "\n" not in str(error.value)


def grey(path):
    tifffile.imwrite(path, PICTURE[..., 0].copy(), photometric="minisblack", **TILES)


def cmyk(path):
    tifffile.imwrite(path, np.dstack([PICTURE, PICTURE[..., :1]]), photometric="separated", **TILES)


def sixteen_bits(path):
    tifffile.imwrite(path, PICTURE.astype(np.uint16) * 257, photometric="rgb", **TILES)


def reals(path):
    tifffile.imwrite(path, PICTURE.astype(np.float32), photometric="rgb", **TILES)


def one_bit(path):
    tifffile.imwrite(path, PICTURE[..., 0] > 150, photometric="minisblack")


def lab(path):
    tifffile.imwrite(path, PICTURE, photometric="cielab", **TILES)


def raw_ycbcr(path):
    tifffile.imwrite(path, PICTURE, photometric="ycbcr", **TILES)


def two_channels(path):
    tifffile.imwrite(path, PICTURE[..., :2].copy(), photometric="minisblack", planarconfig="contig")


def a_stack(path):
    tifffile.imwrite(path, np.stack([PICTURE, PICTURE]), photometric="rgb", **TILES)


REFUSED = {
    grey: r"found 192x256 \(YX\) uint8 MINISBLACK; export the H&E as one plane of 8-bit RGB",
    cmyk: r"found 192x256x4 \(YXS\) uint8 SEPARATED; export",
    sixteen_bits: r"found 192x256x3 \(YXS\) uint16 RGB; export",
    reals: r"found 192x256x3 \(YXS\) float32 RGB; export",
    one_bit: r"found 192x256 \(YX\) bool MINISBLACK; export",
    lab: r"found 192x256x3 \(YXS\) uint8 CIELAB; export",
    raw_ycbcr: r"found 192x256x3 \(YXS\) uint8 YCBCR; export",
    two_channels: r"found 192x256x2 \(YXS\) uint8 MINISBLACK; export",
    a_stack: r"found 2x192x256x3 \(QYXS\) uint8 RGB; export",
}


@pytest.mark.parametrize(("write", "words"), REFUSED.items(), ids=[w.__name__ for w in REFUSED])
def test_what_is_no_8_bit_rgb_is_refused_with_what_was_found(tmp_path, write, words):
    write(tmp_path / "he.tif")
    with (
        pytest.raises(
            InputError, match=rf"he\.tif: expected an 8-bit RGB image .*{words}"
        ) as error,
        open_he(tmp_path / "he.tif"),
    ):
        pass
    assert "\n" not in str(error.value)


def test_an_image_in_one_piece_that_is_large_is_refused_with_the_way_to_convert_it(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("sthelar_build.io.images.tiff_windows._MAX_SEGMENT_BYTES", 2**17)
    path = tmp_path / "he.tif"
    one(path, compression="zlib", rowsperstrip=HEIGHT)
    with (
        pytest.raises(InputError, match=r"found 192 rows in one piece .*vips tiffsave"),
        open_he(path),
    ):
        pass
    one(path)  # stored as it is, a window of it costs no more than the window
    with open_he(path) as he:
        assert he.read(3, 5, 7, 7).shape == (7, 7, 3)


def test_a_window_of_strips_decodes_the_strips_that_it_touches(tmp_path):
    one(tmp_path / "he.tif", compression="zlib", rowsperstrip=16)
    with open_he(tmp_path / "he.tif") as he:
        he.read(10, 30, 20, 20)  # rows 30 to 49
        assert he.tiles_decoded == 3


def test_a_file_whose_pixels_were_never_written_is_refused(tmp_path):
    path = tmp_path / "he.tif"
    one(path, **TILES, compression="zlib")
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages[0].tags["TileByteCounts"].overwrite([0] * 12)
    with pytest.raises(InputError, match="was not written to its end"), open_he(path):
        pass


def test_a_slide_in_files_of_its_own_is_refused(tmp_path):
    planes = colours_first(PICTURE)
    for number in (0, 1, 2):
        tifffile.imwrite(tmp_path / f"c{number}.ome.tif", planes[number], **TILES)
    xml = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        f'<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint8" SizeX="{WIDTH}" '
        f'SizeY="{HEIGHT}" SizeC="3" SizeZ="1" SizeT="1"><Channel ID="Channel:0"/>'
        + "".join(
            f'<TiffData FirstC="{c}" IFD="0"><UUID FileName="c{c}.ome.tif">urn:uuid:{c}</UUID></TiffData>'
            for c in range(3)
        )
        + "</Pixels></Image></OME>"
    )
    path = tmp_path / "c0.ome.tif"
    tifffile.imwrite(path, planes[0], **TILES, description=xml, metadata=None)
    with pytest.raises(InputError, match=r"c0\.ome\.tif"), open_he(path):
        pass


def test_a_renamed_ome_tiff_is_the_same_image(tmp_path):
    levels = sub_ifds(tmp_path / "a.ome.tif", **RGB, **TILES)
    path = Path(tmp_path / "a.ome.tif").rename(tmp_path / "b.ome.tif")
    with open_he(path) as he:
        np.testing.assert_array_equal(he.read(0, 0, WIDTH, HEIGHT), levels[0])
        assert len(he.levels) == 3


def test_the_jpeg_2000_of_aperio_in_ycbcr_is_left_to_openslide(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openslide", None)
    path = tmp_path / "he.svs"
    one(path, **TILES, compression=33003)
    with pytest.raises(InputError, match=r"he\.svs: expected OpenSlide"), open_he(path):
        pass
