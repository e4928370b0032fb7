import zipfile

import numpy as np
import pytest
import zarr

from slides.five_cells import SHAPE_PX, copy_of_bundle
from sthelar_build.errors import InputError
from sthelar_build.io.xenium.bundle import CELLS_ZARR
from sthelar_build.io.xenium.nucleus_raster import open_nucleus_raster

LABELS = np.arange(1, 7 * 10 + 1, dtype=np.uint32).reshape(7, 10)


@pytest.fixture
def path(tmp_path):
    """A raster of 7 x 10 pixels in chunks of 3 x 4."""
    path = tmp_path / CELLS_ZARR
    with zarr.storage.ZipStore(path, mode="w") as store:
        group = zarr.open_group(store, mode="w", zarr_format=2)
        group.create_array("masks/0", data=LABELS, chunks=(3, 4))
    return path


def test_a_window_is_put_together_from_chunks(path):
    with open_nucleus_raster(path) as raster:
        assert raster.shape == (7, 10)
        np.testing.assert_array_equal(raster.window(0, 0, 7, 10), LABELS)
        np.testing.assert_array_equal(raster.window(2, 3, 7, 9), LABELS[2:7, 3:9])
        assert raster.window(4, 5, 5, 6).tolist() == [[46]]


def test_beyond_the_raster_there_is_background(path):
    with open_nucleus_raster(path) as raster:
        np.testing.assert_array_equal(raster.window(-1, -2, 2, 2)[1:, 2:], LABELS[:2, :2])
        assert not raster.window(-1, -2, 2, 2)[0].any()
        np.testing.assert_array_equal(raster.window(6, 8, 9, 12)[:1, :2], LABELS[6:, 8:])
        assert raster.window(6, 8, 9, 12).sum() == LABELS[6:, 8:].sum()
        assert raster.window(-9, 0, -5, 4).tolist() == [[0] * 4] * 4
        assert not raster.window(2, 30, 5, 33).any()


def test_only_the_chunks_of_the_window_are_read_and_each_once(path):
    with open_nucleus_raster(path) as raster:
        raster.window(0, 0, 3, 5)
        raster.window(1, 1, 2, 8)
        found = raster._chunk.cache_info()
        assert (found.misses, found.hits) == (2, 2)


@pytest.mark.parametrize("version", ["1.0.2", "1.9.0", "2.0.0", "4.0.0"])
def test_every_version_has_the_raster(tmp_path, version):
    bundle = copy_of_bundle(tmp_path / "outs", version)
    with open_nucleus_raster(bundle.path(CELLS_ZARR)) as raster:
        assert raster.shape == SHAPE_PX
        assert raster.window(0, 0, *SHAPE_PX).any()


def test_a_missing_or_broken_store_is_refused_in_one_line(tmp_path, path):
    for name, text in (("absent.zip", "found nothing"), ("broken.zip", "found a broken one")):
        (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
        with pytest.raises(InputError, match=text), open_nucleus_raster(tmp_path / name):
            pass


def test_a_store_without_the_raster_is_refused_with_the_remedy(tmp_path):
    with zarr.storage.ZipStore(tmp_path / "none.zip", mode="w") as store:
        zarr.open_group(store, mode="w", zarr_format=2).create_array("cell_id", data=LABELS[0])
    with (
        pytest.raises(InputError, match=r"masks/0 .* found none; use rasterise.source: polygons"),
        open_nucleus_raster(tmp_path / "none.zip"),
    ):
        pass


def test_a_chunk_that_was_damaged_is_named(path):
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("masks/0/1.1").header_offset
    data = bytearray(path.read_bytes())
    data[start + 60] ^= 0xFF
    path.write_bytes(data)
    with open_nucleus_raster(path) as raster:
        assert raster.window(0, 0, 3, 4).any()
        with pytest.raises(InputError, match=r"expected chunk 1, 1 of masks/0, found it broken"):
            raster.window(3, 4, 5, 6)
