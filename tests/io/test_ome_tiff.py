import numpy as np
import pytest
import tifffile

from sthelar_build.io.ome_tiff import ImageFiles, halve, write_ome_tiff


@pytest.fixture
def dapi():
    return np.random.default_rng(0).integers(0, 5000, (101, 70)).astype(np.uint16)


def smooth_rgb(height_px=96, width_px=80):
    y, x = np.mgrid[:height_px, :width_px]
    return np.stack([x + y, 2 * y, np.full_like(x, 90)], axis=-1).astype(np.uint8)


def test_halving_takes_the_mean_of_two_by_two_and_rounds_halves_up():
    image = np.array([[0, 1, 9], [1, 0, 9], [7, 7, 7]], dtype=np.uint16)
    assert halve(image).tolist() == [[1]]


def test_halving_does_not_overflow():
    assert halve(np.full((2, 2), 65535, dtype=np.uint16)).tolist() == [[65535]]


@pytest.mark.parametrize("compression", ["jpeg2000", "deflate"])
def test_sixteen_bits_come_back_exactly_with_every_level(tmp_path, dapi, compression):
    path = tmp_path / "dapi.ome.tif"
    write_ome_tiff(
        path, dapi, 0.2125, channel_names=["DAPI"], compression=compression, tile_px=32, levels=3
    )
    with tifffile.TiffFile(path) as tiff:
        levels = tiff.series[0].levels
        assert [level.shape for level in levels] == [(101, 70), (50, 35), (25, 17)]
        np.testing.assert_array_equal(levels[0].asarray(), dapi)
        np.testing.assert_array_equal(levels[1].asarray(), halve(dapi))


def test_the_morphology_image_is_jpeg_2000_as_the_vendor_writes_it(tmp_path, dapi):
    path = tmp_path / "dapi.ome.tif"
    write_ome_tiff(path, dapi, 0.2125, channel_names=["DAPI"], tile_px=32)
    with tifffile.TiffFile(path) as tiff:
        assert tiff.pages[0].compression == 34712


def test_the_pixel_size_stands_in_the_ome_xml_and_in_the_resolution_tag(tmp_path, dapi):
    path = tmp_path / "dapi.ome.tif"
    write_ome_tiff(path, dapi, 0.25, channel_names=["DAPI"], tile_px=32)
    with tifffile.TiffFile(path) as tiff:
        pixels = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]["Pixels"]
        assert (pixels["PhysicalSizeX"], pixels["PhysicalSizeY"]) == (0.25, 0.25)
        numerator, denominator = tiff.pages[0].tags["XResolution"].value
        assert 1e4 / (numerator / denominator) == pytest.approx(0.25)


def test_rgb_as_jpeg_stays_close(tmp_path):
    path = tmp_path / "he.ome.tif"
    image = smooth_rgb()
    write_ome_tiff(path, image, 0.274, channel_names=["RGB"], compression="jpeg", tile_px=64)
    with tifffile.TiffFile(path) as tiff:
        found = tiff.series[0].asarray()
    assert found.shape == image.shape
    assert np.abs(found.astype(int) - image).mean() < 2


def test_a_pyramid_stops_before_a_level_without_pixels(tmp_path):
    path = tmp_path / "small.ome.tif"
    write_ome_tiff(
        path, np.ones((5, 9), np.uint16), 0.2125, channel_names=["DAPI"], tile_px=16, levels=8
    )
    with tifffile.TiffFile(path) as tiff:
        assert [level.shape for level in tiff.series[0].levels] == [(5, 9), (2, 4), (1, 2)]


def test_the_same_image_gives_the_same_bytes(tmp_path, dapi):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write_ome_tiff(tmp_path / folder / "a.ome.tif", dapi, 0.2125, channel_names=["DAPI"])
    assert (tmp_path / "one/a.ome.tif").read_bytes() == (tmp_path / "two/a.ome.tif").read_bytes()


def test_files_of_one_image_read_as_one_series_and_each_on_its_own(tmp_path, dapi):
    files = ImageFiles(("f_0000.ome.tif", "f_0001.ome.tif"))
    for channel, name in enumerate(files.names):
        write_ome_tiff(
            tmp_path / name,
            dapi + np.uint16(channel),
            0.2125,
            channel_names=["DAPI", "18S"],
            files=files,
            tile_px=32,
        )
    with tifffile.TiffFile(tmp_path / files.names[0]) as tiff:
        np.testing.assert_array_equal(tiff.series[0].asarray(), np.stack([dapi, dapi + 1]))
    with tifffile.TiffFile(tmp_path / files.names[1], _multifile=False) as tiff:
        np.testing.assert_array_equal(tiff.series[0].asarray(), dapi + 1)
