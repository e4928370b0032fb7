"""Features of chosen nuclei are those of their rows, in the order asked for."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from sthelar_build.errors import InputError
from sthelar_build.io.counts import write_h5ad
from sthelar_build.io.probed_features import read_features


def write(path, ids, features, column="nucleus_id"):
    obs = pd.DataFrame({column: ids}, index=[str(number) for number in ids])
    write_h5ad(path, AnnData(np.asarray(features, np.float32), obs=obs), {"stage": "test"})
    return path


def test_rows_come_in_the_order_of_the_nuclei(tmp_path):
    path = write(tmp_path / "f.h5ad", [5, 7, 9], [[5, 50], [7, 70], [9, 90]])
    features, seen = read_features(path, np.array([9, 5], dtype=np.uint32))
    assert features.tolist() == [[9, 90], [5, 50]]
    assert seen.tolist() == [True, True]


def test_nuclei_without_features_are_left_out(tmp_path):
    path = write(tmp_path / "f.h5ad", [5, 7], [[5, 50], [np.nan, np.nan]])
    features, seen = read_features(path, np.array([7, 5, 8], dtype=np.uint32))
    assert features.tolist() == [[5, 50]]
    assert seen.tolist() == [False, True, False]


def test_many_rows_are_read_in_pieces(tmp_path):
    ids = np.arange(1, 1301, dtype=np.uint32)
    path = write(tmp_path / "f.h5ad", ids, np.stack([ids, -ids.astype(float)], axis=1))
    features, seen = read_features(path, ids[::-1])
    assert seen.all()
    np.testing.assert_array_equal(features[:, 0], ids[::-1])


def test_a_table_of_cells_is_refused(tmp_path):
    path = write(tmp_path / "f.h5ad", [5], [[1, 2]], "cell_id")
    with pytest.raises(InputError, match="a row per nucleus"):
        read_features(path, np.array([5]))
