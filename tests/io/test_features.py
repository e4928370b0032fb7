import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import zarr

from sthelar_build.io import features
from sthelar_build.io.features import FeatureRows, copy_matrix, read_described, write_features

VALUES = np.arange(12, dtype=np.float32).reshape(6, 2)


@pytest.fixture
def rows(tmp_path):
    rows = FeatureRows.create(tmp_path / "rows", 6, 2)
    rows.write(np.array([4, 1, 2]), VALUES[[4, 1, 2]])
    rows.write(np.array([0]), VALUES[:1])
    return rows


def test_rows_come_back_whatever_the_order_they_were_written_in(rows):
    np.testing.assert_array_equal(rows.read(slice(0, 3)), VALUES[:3])
    np.testing.assert_array_equal(rows.read(slice(3, 6)), [[0, 0], VALUES[4], [0, 0]])


def test_blocks_cover_all_rows_and_are_small(rows, monkeypatch):
    monkeypatch.setattr(features, "_BLOCK_BYTES", 4 * 8)
    assert rows.blocks == [slice(0, 4), slice(4, 6)]


def test_nothing_to_write_writes_nothing(rows):
    rows.write(np.empty(0, np.int64), np.empty((0, 2), np.float32))
    np.testing.assert_array_equal(rows.read(slice(0, 1)), VALUES[:1])


@pytest.mark.parametrize("chunk_bytes", [16, 2**20])
def test_any_reader_sees_the_table_with_nan_for_what_was_not_seen(tmp_path, monkeypatch, chunk_bytes):  # fmt: skip
    monkeypatch.setattr(features, "_CHUNK_BYTES", chunk_bytes)
    rows = FeatureRows.create(tmp_path / "rows", 2, 2)
    rows.write(np.array([0, 1]), VALUES[:2])
    obs = pd.DataFrame({"n": [3, 4, 5]}, index=["a", "b", "c"])
    path, seen = tmp_path / "f.h5ad", np.array([True, False, True])
    write_features(path, rows, seen, obs, {"model": "x"}, {"stage": "test"})
    table = anndata.read_h5ad(path)
    np.testing.assert_array_equal(table.X, [[0, 1], [np.nan, np.nan], [2, 3]])
    assert table.X.dtype == np.float32
    assert table.obs_names.tolist() == ["a", "b", "c"]
    assert table.uns == {"model": "x", "sthelar": '{"stage": "test"}'}
    with h5py.File(path) as file:
        assert file["X"].compression == "gzip"


def test_a_table_is_copied_into_a_zarr_store_shard_by_shard(tmp_path, monkeypatch):
    monkeypatch.setattr(features, "_CHUNK_BYTES", 8)
    monkeypatch.setattr(features, "_CHUNKS_PER_SHARD", 4)
    rows = FeatureRows.create(tmp_path / "rows", 6, 2)
    rows.write(np.arange(6), VALUES)
    obs = pd.DataFrame({"n": range(6)}, index=[str(i) for i in range(6)])
    write_features(tmp_path / "f.h5ad", rows, np.ones(6, bool), obs, {"model": "x"}, {})
    described = read_described(tmp_path / "f.h5ad")
    assert described.X is None
    assert described.shape == (6, 2)
    group = zarr.open_group(tmp_path / "f.zarr", mode="w")
    with anndata.settings.override(auto_shard_zarr_v3=True):
        anndata.io.write_elem(group, "/", described)
    copy_matrix(tmp_path / "f.h5ad", tmp_path / "f.zarr")
    copied = anndata.io.read_elem(zarr.open_group(tmp_path / "f.zarr", mode="r"))
    np.testing.assert_array_equal(copied.X, VALUES)
    assert copied.uns["model"] == "x"
    assert zarr.open_array(tmp_path / "f.zarr" / "X").shards == (4, 2)
