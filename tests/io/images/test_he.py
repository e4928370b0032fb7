"""Windows of whole-slide images, whatever the layout of the file."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from sthelar_build.errors import InputError
from sthelar_build.io.images import he as he_module
from sthelar_build.io.images.he import open_he

HEIGHT, WIDTH = 150, 210


@pytest.fixture(scope="module")
def image():
    rng = np.random.default_rng(5)
    return rng.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)


LAYOUTS = {
    "tiles": {"photometric": "rgb", "tile": (64, 48)},
    "deflated tiles": {"photometric": "rgb", "tile": (64, 48), "compression": "zlib"},
    "strips": {"photometric": "rgb", "rowsperstrip": 17, "compression": "lzw", "predictor": True},
    "one strip": {"photometric": "rgb"},
    "bigtiff": {"photometric": "rgb", "bigtiff": True, "byteorder": ">"},
    "lossless jpeg 2000": {
        "photometric": "rgb",
        "tile": (64, 64),
        "compression": "jpeg2000",
        "compressionargs": {"reversible": True},
    },
}
PLANAR_LAYOUTS = {
    "planes": {"photometric": "rgb", "planarconfig": "separate"},
    "tiled planes": {"photometric": "rgb", "planarconfig": "separate", "tile": (64, 48)},
    "ome planes": {"photometric": "rgb", "planarconfig": "separate", "ome": True, "tile": (32, 32)},
    "ome channels": {"photometric": "minisblack", "ome": True, "metadata": {"axes": "CYX"}},
    "tiled ome channels": {
        "photometric": "minisblack",
        "ome": True,
        "metadata": {"axes": "CYX"},
        "tile": (64, 64),
        "compression": "zlib",
    },
}


def write(path: Path, image, **options) -> Path:
    tifffile.imwrite(path, image, **options)
    return path


def pyramid(image, n_levels):
    levels = [image]
    for _ in range(n_levels - 1):
        even = levels[-1][: levels[-1].shape[0] // 2 * 2, : levels[-1].shape[1] // 2 * 2]
        blocks = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2, 3)
        levels.append(blocks.mean(axis=(1, 3)).round().astype(np.uint8))
    return levels


def check_windows(path, image):
    with open_he(path) as he:
        assert (he.width_px, he.height_px) == (WIDTH, HEIGHT)
        for x, y, width, height in [(0, 0, WIDTH, HEIGHT), (47, 63, 3, 3), (100, 20, 64, 100)]:
            window = he.read(x, y, width, height)
            assert window.dtype == np.uint8
            np.testing.assert_array_equal(window, image[y : y + height, x : x + width])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_of_rows_columns_colours_gives_the_same_pixels(tmp_path, image, layout):
    check_windows(write(tmp_path / "he.tif", image, **LAYOUTS[layout]), image)


@pytest.mark.parametrize("layout", PLANAR_LAYOUTS)
def test_every_layout_of_colours_rows_columns_gives_the_same_pixels(tmp_path, image, layout):
    planes = np.ascontiguousarray(np.moveaxis(image, 2, 0))
    check_windows(write(tmp_path / "he.ome.tif", planes, **PLANAR_LAYOUTS[layout]), image)


def test_alpha_is_dropped_and_what_is_transparent_is_white(tmp_path):
    rgba = np.full((32, 32, 4), 200, np.uint8)
    rgba[:4, :, 3] = 0
    path = write(tmp_path / "he.tif", rgba, photometric="rgb", extrasamples=["unassalpha"])
    with open_he(path) as he:
        window = he.read(0, 0, 32, 32)
    assert window.shape == (32, 32, 3)
    assert (window[:4] == 255).all()
    assert (window[4:] == 200).all()


def test_what_lies_outside_the_image_is_white(tmp_path, image):
    path = write(tmp_path / "he.tif", image, photometric="rgb", tile=(64, 64))
    with open_he(path) as he:
        corner = he.read(WIDTH - 2, HEIGHT - 3, 5, 5)
        before = he.read(-2, -1, 4, 4)
        nowhere = he.read(WIDTH + 10, -50, 4, 4)
    np.testing.assert_array_equal(corner[:3, :2], image[-3:, -2:])
    assert (corner[3:] == 255).all()
    assert (corner[:, 2:] == 255).all()
    np.testing.assert_array_equal(before[1:, 2:], image[:3, :2])
    assert (nowhere == 255).all()


def write_sub_ifds(path, levels):
    with tifffile.TiffWriter(path, ome=True) as tiff:
        options = {"photometric": "rgb", "tile": (32, 32)}
        metadata = {"axes": "YXS", "PhysicalSizeX": 0.274, "PhysicalSizeXUnit": "µm"}
        tiff.write(levels[0], subifds=len(levels) - 1, metadata=metadata, **options)
        for level in levels[1:]:
            tiff.write(level, subfiletype=1, **options)


def write_plain_pages(path, levels):
    with tifffile.TiffWriter(path) as tiff:
        for level in levels:
            tiff.write(level, photometric="rgb", tile=(32, 32), metadata=None)


def write_shaped_pages(path, levels):
    with tifffile.TiffWriter(path) as tiff:
        for level in levels:
            tiff.write(level, photometric="rgb", tile=(32, 32))


@pytest.mark.parametrize("write_levels", [write_sub_ifds, write_plain_pages, write_shaped_pages])
def test_every_kind_of_pyramid_shows_its_levels(tmp_path, image, write_levels):
    levels = pyramid(image, 3)
    path = tmp_path / "he.ome.tif" if write_levels is write_sub_ifds else tmp_path / "he.tif"
    write_levels(path, levels)
    with open_he(path) as he:
        assert [(lv.width_px, lv.height_px) for lv in he.levels] == [
            (210, 150),
            (105, 75),
            (52, 37),
        ]
        assert [lv.downsample for lv in he.levels] == [1, 2, 4]
        np.testing.assert_array_equal(he.read(3, 5, 40, 30, level=1), levels[1][5:35, 3:43])
        assert he.level_of_downsample(1.9) == 0
        assert he.level_of_downsample(2) == 1
        assert he.level_of_downsample(3.9) == 1
        assert he.level_of_downsample(50) == 2
        assert he.level_of_side(100) == 1
        assert he.level_of_side(1000) == 0


def test_a_label_of_another_shape_is_no_level(tmp_path, image):
    with tifffile.TiffWriter(tmp_path / "he.tif") as tiff:
        for page in (image, image[:60, :60]):
            tiff.write(page, photometric="rgb", metadata=None)
    with open_he(tmp_path / "he.tif") as he:
        assert len(he.levels) == 1


def test_native_is_the_image_itself(tmp_path, image):
    with open_he(write(tmp_path / "he.tif", image, photometric="rgb", tile=(64, 64))) as he:
        np.testing.assert_array_equal(he.read_area(11, 7, 64, 64), image[7:71, 11:75])


def test_half_of_native_is_the_mean_of_two_by_two_with_halves_rounded_up(tmp_path):
    image = np.zeros((4, 4, 3), np.uint8)
    image[0, 0], image[0, 1], image[1, 0], image[1, 1] = 1, 1, 0, 0
    image[2:, 2:] = 255
    image[0, 2] = 1
    with open_he(write(tmp_path / "he.tif", image, photometric="rgb")) as he:
        half = he.read_area(0, 0, 4, 2)
    assert half[..., 0].tolist() == [[1, 0], [0, 255]]


def test_half_of_native_does_not_trust_the_pyramid(tmp_path, image):
    write_sub_ifds(tmp_path / "he.ome.tif", [image, np.zeros((75, 105, 3), np.uint8)])
    with open_he(tmp_path / "he.ome.tif") as he:
        assert he.read_area(0, 0, 64, 32).mean() > 100


def test_any_downsample_weighs_pixels_by_the_area_that_lies_inside(tmp_path):
    row = np.array([0, 100, 200], np.uint8)
    image = np.broadcast_to(row[None, :, None], (3, 3, 3)).copy()
    with open_he(write(tmp_path / "he.tif", image, photometric="rgb")) as he:
        # Boxes [0, 1.5) and [1.5, 3): (0 + 50) / 1.5 and (50 + 200) / 1.5.
        assert he.read_area(0, 0, 3, 2)[..., 0].tolist() == [[33, 167], [33, 167]]


def test_a_square_that_starts_between_pixels_is_averaged_there(tmp_path):
    image = np.array([[0, 100, 200, 60]], np.uint8)[..., None].repeat(3, axis=2).repeat(4, axis=0)
    with open_he(write(tmp_path / "he.tif", image, photometric="rgb")) as he:
        assert he.read_area(0.5, 0, 2, 2)[0, :, 0].tolist() == [50, 150]


def test_the_thumbnail_is_the_whole_image(tmp_path):
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, 100:] = 200
    with open_he(write(tmp_path / "he.tif", image, photometric="rgb", tile=(32, 32))) as he:
        small = he.thumbnail(40)
        assert small.shape == (20, 40, 3)
        assert (small[:, :20] == 0).all()
        assert (small[:, 20:] == 200).all()
        assert he.thumbnail(1000).shape == (100, 200, 3)
        assert he.thumbnail(33).shape == (16, 33, 3)


def test_bands_make_the_whole_image_in_parts_however_few_rows_fit(tmp_path, monkeypatch):
    image = np.random.default_rng(0).integers(0, 256, (100, 90, 3), dtype=np.uint8)
    with open_he(write(tmp_path / "he.tif", image, photometric="rgb", tile=(32, 32))) as he:
        (whole,) = he.bands(37, 41)
        monkeypatch.setattr(he_module, "_BAND_AREA_PX", 90 * 7)
        parts = list(he.bands(37, 41))
        assert len(parts) > 10
        np.testing.assert_array_equal(np.concatenate(parts), whole)
        np.testing.assert_array_equal(np.concatenate(list(he.bands(90, 100))), image)


def test_patches_read_row_by_row_decode_every_tile_once(tmp_path):
    image = np.zeros((256, 320, 3), np.uint8)
    path = write(tmp_path / "he.tif", image, photometric="rgb", tile=(64, 64), compression="zlib")
    with open_he(path) as he:
        for y in range(0, 192, 48):
            for x in range(0, 256, 48):
                he.read(x, y, 64, 64)
        assert he.tiles_decoded == 4 * 5


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (np.zeros((8, 8, 3), np.uint16), {"photometric": "rgb"}),
        (np.zeros((8, 8), np.uint8), {"photometric": "minisblack"}),
        (np.zeros((8, 8, 4), np.uint8), {"photometric": "separated"}),
        (np.zeros((5, 8, 8), np.uint8), {"photometric": "minisblack"}),
        (
            np.zeros((8, 8), np.uint8),
            {"photometric": "palette", "colormap": np.zeros((3, 256), "u2")},
        ),
    ],
    ids=["16 bit", "grey", "cmyk", "five channels", "palette"],
)
def test_what_is_no_8_bit_rgb_is_refused_in_one_line(tmp_path, image, options):
    path = write(tmp_path / "he.tif", image, **options)
    with (
        pytest.raises(
            InputError, match=r"he\.tif: expected an 8-bit RGB image .*found 8x8|5x8x8"
        ) as e,
        open_he(path),
    ):
        pass
    assert "\n" not in str(e.value)


def test_a_file_that_is_no_tiff_is_refused(tmp_path):
    (tmp_path / "he.tif").write_text("not an image")
    with (
        pytest.raises(InputError, match="expected an H&E image as TIFF"),
        open_he(tmp_path / "he.tif"),
    ):
        pass


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="found no file"), open_he(tmp_path / "he.tif"):
        pass


@pytest.mark.parametrize("share", [0.0, 0.001, 0.2, 0.5, 0.99])
@pytest.mark.parametrize("layout", ["deflated tiles", "one strip"])
def test_a_truncated_file_is_refused(tmp_path, image, share, layout):
    whole = write(tmp_path / "whole.tif", image, **LAYOUTS[layout]).read_bytes()
    path = tmp_path / "he.tif"
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match=r"he\.tif"), open_he(path) as he:
        he.read(0, 0, WIDTH, HEIGHT)


def test_damaged_tiles_are_named(tmp_path, image):
    path = write(tmp_path / "he.tif", image, **LAYOUTS["deflated tiles"])
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tiff:
        offset = tiff.pages[0].dataoffsets[3]
    data[offset : offset + 50] = b"x" * 50
    path.write_bytes(data)
    with open_he(path) as he, pytest.raises(InputError, match="segment 3"):
        he.read(0, 0, WIDTH, HEIGHT)


def test_a_real_aperio_scan_reads_as_tifffile_decodes_it(shared_data):
    path = shared_data / "he" / "CMU-1-Small-Region.svs"
    whole = tifffile.imread(path, series=0)
    with open_he(path) as he:
        assert (he.width_px, he.height_px) == (2220, 2967)
        assert he.um_per_px == pytest.approx(0.499)
        np.testing.assert_array_equal(he.read(700, 1000, 500, 300), whole[1000:1300, 700:1200])
        assert he.thumbnail(512).shape == (512, 383, 3)
