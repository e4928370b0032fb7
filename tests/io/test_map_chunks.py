"""Chunks written and read here are those of zarr."""

import numpy as np
import pytest
import zarr

from sthelar_build.errors import InputError
from sthelar_build.io import map_chunks
from sthelar_build.io.map_chunks import MapChunks

SIDE = 4


def maps(n, seed=0):
    return np.random.default_rng(seed).integers(0, 2**32, (n, SIDE, SIDE), dtype=np.uint32)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two rows of five maps, three in a chunk; the second row has only the last."""
    monkeypatch.setattr(map_chunks, "_MOST_COLUMNS", 3)
    chunks = MapChunks.create(tmp_path / "maps.zarr", 2, 5, SIDE)
    chunks.write_row(0, maps(5))
    chunks.write_row(1, np.concatenate([np.zeros((4, SIDE, SIDE), np.uint32), maps(1, seed=1)]))
    return tmp_path / "maps.zarr"


def files(folder):
    return sorted(str(path.relative_to(folder / "c")) for path in folder.glob("c/*/*/*/*"))


def test_zarr_reads_what_was_written(folder):
    array = zarr.open_array(folder, mode="r")
    np.testing.assert_array_equal(array[0], maps(5))
    assert not array[1, :4].any()
    np.testing.assert_array_equal(array[1, 4:], maps(1, seed=1))


def test_what_zarr_wrote_is_read(folder):
    array = zarr.open_array(folder, mode="r+")
    array[1, 0:3] = maps(3, seed=2)
    np.testing.assert_array_equal(MapChunks.open(folder).read(1, 0), maps(3, seed=2))


def test_a_chunk_is_a_file_and_one_of_zeros_is_none(folder):
    assert files(folder) == ["0/0/0/0", "0/1/0/0", "1/1/0/0"]
    assert not MapChunks.open(folder).read(1, 0).any()


def test_the_last_chunk_of_a_row_ends_in_zeros(folder):
    last = MapChunks.open(folder).read(0, 1)
    np.testing.assert_array_equal(last[:2], maps(5)[3:])
    assert not last[2].any()


def test_fewer_maps_than_a_chunk_holds_make_narrow_chunks(tmp_path):
    chunks = MapChunks.create(tmp_path / "maps.zarr", 1, 2, SIDE)
    assert chunks.columns == 2


@pytest.mark.parametrize("content", [b"", b"no frame"])
def test_a_damaged_chunk_is_refused(folder, content):
    (folder / "c/0/0/0/0").write_bytes(content)
    with pytest.raises(InputError, match=r"0/0/0/0: expected a zstd frame of 192 bytes"):
        MapChunks.open(folder).read(0, 0)


def test_a_chunk_cut_short_is_refused(folder):
    path = folder / "c/0/0/0/0"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(InputError, match="expected a zstd frame"):
        MapChunks.open(folder).read(0, 0)


def test_a_chunk_of_another_size_is_refused(folder):
    other = MapChunks.create(folder.parent / "other.zarr", 1, 1, SIDE)
    other.write_row(0, maps(1))
    (folder / "c/0/0/0/0").write_bytes((other.folder / "c/0/0/0/0").read_bytes())
    with pytest.raises(InputError, match="expected a zstd frame of 192 bytes, found 64"):
        MapChunks.open(folder).read(0, 0)


def test_an_array_in_shards_is_refused(tmp_path):
    shape, chunk = (1, 4, SIDE, SIDE), (1, 2, SIDE, SIDE)
    zarr.create_array(tmp_path / "old.zarr", shape=shape, chunks=chunk, shards=shape, dtype="u4")
    with pytest.raises(ValueError, match="without shards"):
        MapChunks.open(tmp_path / "old.zarr")
