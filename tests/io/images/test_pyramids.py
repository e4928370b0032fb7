import numpy as np
import pytest
import tifffile

from sthelar_build.errors import InputError
from sthelar_build.io.images.pyramids import (
    morphology_files,
    open_he_pyramid,
    open_morphology_pyramid,
)


def _write_plane(path, plane, levels):
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(plane, tile=(16, 16), subifds=levels - 1)
        for level in range(1, levels):
            tiff.write(plane[:: 2**level, :: 2**level], tile=(16, 16), subfiletype=1)


def test_an_image_without_levels_is_averaged_down_to_one_chunk(tmp_path):
    image = np.random.default_rng(0).integers(0, 255, (70, 50, 3), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "he.tif", image, photometric="rgb", tile=(16, 16))
    with open_he_pyramid(tmp_path / "he.tif", chunk_px=32) as levels:
        assert [level.shape for level in levels] == [(3, 70, 50), (3, 35, 25), (3, 17, 12)]
        assert levels[0].chunks == ((3,), (32, 32, 6), (32, 18))
        full, half = levels[0].compute(), levels[1].compute()
    np.testing.assert_array_equal(full, image.transpose(2, 0, 1))
    mean = image[:2, :2].mean(axis=(0, 1))
    np.testing.assert_array_equal(half[:, 0, 0], np.floor(mean + 0.5))


def test_an_image_of_one_chunk_still_has_two_levels(tmp_path):
    tifffile.imwrite(tmp_path / "he.tif", np.zeros((9, 9, 3), np.uint8), photometric="rgb")
    with open_he_pyramid(tmp_path / "he.tif", chunk_px=64) as levels:
        assert [level.shape for level in levels] == [(3, 9, 9), (3, 4, 4)]


def test_channel_files_are_stacked_in_order_with_one_channel_per_chunk(tmp_path):
    planes = np.random.default_rng(1).integers(0, 2**16, (2, 40, 30), dtype=np.uint16)
    files = [tmp_path / "a.tif", tmp_path / "b.tif"]
    for path, plane in zip(files, planes, strict=True):
        _write_plane(path, plane, levels=2)
    with open_morphology_pyramid(files, chunk_px=20) as levels:
        assert levels[0].chunksize == (1, 20, 20)
        np.testing.assert_array_equal(levels[0], planes)
        np.testing.assert_array_equal(levels[1], planes[:, ::2, ::2])


def test_channel_files_of_different_sizes_are_refused(tmp_path):
    files = [tmp_path / "a.tif", tmp_path / "b.tif"]
    _write_plane(files[0], np.zeros((40, 30), np.uint16), levels=1)
    _write_plane(files[1], np.zeros((40, 31), np.uint16), levels=1)
    with (
        pytest.raises(InputError, match=r"b\.tif: expected levels"),
        open_morphology_pyramid(files, chunk_px=20),
    ):
        pass


def test_the_channels_of_a_folder_go_together_and_hidden_copies_do_not(tmp_path):
    folder = tmp_path / "morphology_focus"
    folder.mkdir()
    for name in ("ch0001_b.ome.tif", "ch0000_dapi.ome.tif", "._ch0000_dapi.ome.tif"):
        (folder / name).touch()
    found = morphology_files(folder / "ch0000_dapi.ome.tif")
    assert [path.name for path in found] == ["ch0000_dapi.ome.tif", "ch0001_b.ome.tif"]


def test_an_image_outside_that_folder_stands_alone(tmp_path):
    dapi = tmp_path / "morphology_mip.ome.tif"
    dapi.touch()
    assert morphology_files(dapi) == [dapi]


@pytest.mark.parametrize("name", ["morphology_mip.ome.tif", "morphology_focus/ch0000_dapi.ome.tif"])
def test_an_image_that_is_not_there_is_named(tmp_path, name):
    with pytest.raises(InputError, match="expected the morphology image"):
        morphology_files(tmp_path / name)


def test_a_file_that_is_no_image_is_named(tmp_path):
    (tmp_path / "a.tif").write_text("no image")
    with (
        pytest.raises(InputError, match=r"a\.tif: expected a morphology image"),
        open_morphology_pyramid([tmp_path / "a.tif"], chunk_px=20),
    ):
        pass
