"""Chosen rows and columns are what anndata would read, however the matrix is stored."""

import anndata
import h5py
import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.sparse as sp

from sthelar_build.io import h5ad_values
from sthelar_build.io.h5ad_values import StoredMatrix

VALUES = np.array([[0, 2, 0, 5], [0, 0, 0, 0], [1.5, 0, 3, 0], [4, 0, 0, 7], [0, 8, 9, 0]])
FORMS = {"csr": sp.csr_matrix, "csc": sp.csc_matrix, "dense": np.asarray}


@pytest.fixture(params=FORMS)
def path(request, tmp_path):
    found = tmp_path / f"{request.param}.h5ad"
    anndata.AnnData(FORMS[request.param](VALUES)).write_h5ad(found)
    return found


def part(path, rows, columns):
    with h5py.File(path) as file:
        return StoredMatrix(file["X"]).part(np.array(rows, dtype=int), np.array(columns, dtype=int))


@pytest.mark.parametrize(
    ("rows", "columns"),
    [([0, 2, 4], [1, 3]), ([3], [0]), (range(5), range(4)), ([1], [0, 1]), ([], [2]), ([0, 1], [])],
)
def test_the_part_is_what_anndata_reads(path, rows, columns):
    expected = anndata.read_h5ad(path)[list(rows), list(columns)].X
    found = part(path, rows, columns)
    assert (found.format, found.dtype, found.shape) == ("csr", np.float32, expected.shape)
    np.testing.assert_array_equal(found.toarray(), getattr(expected, "toarray", lambda: expected)())


def test_shape_and_form_are_read_off_the_file(path):
    with h5py.File(path) as file:
        assert StoredMatrix(file["X"]).shape == (5, 4)
        assert StoredMatrix(file["X"]).form == path.stem


def test_many_small_blocks_are_one_large_one(path, monkeypatch):
    whole = part(path, [0, 2, 3, 4], [0, 2, 3]).toarray()
    monkeypatch.setattr(h5ad_values, "_BLOCK_VALUES", 1)
    monkeypatch.setattr(h5ad_values, "_SMALL_CHUNK", 1)
    np.testing.assert_array_equal(part(path, [0, 2, 3, 4], [0, 2, 3]).toarray(), whole)


def test_the_old_attributes_of_a_sparse_matrix_are_known(tmp_path):
    matrix = sp.csc_matrix(VALUES)
    with h5py.File(tmp_path / "old.h5", "w") as file:
        group = file.create_group("X")
        group.attrs.update({"h5sparse_format": "csc", "h5sparse_shape": matrix.shape})
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(matrix, name)
    found = part(tmp_path / "old.h5", [0, 4], [1, 2])
    assert found.toarray().tolist() == [[2, 0], [8, 9]]


def test_whole_numbers_and_unsorted_indices_are_read_as_they_are_meant(tmp_path):
    matrix = sp.csr_matrix((np.array([7, 5], np.int64), [3, 1], [0, 2]), shape=(1, 4))
    anndata.AnnData(matrix).write_h5ad(tmp_path / "x.h5ad")
    found = part(tmp_path / "x.h5ad", [0], [1, 3])
    assert found.toarray().tolist() == [[5, 7]]
    assert found.has_sorted_indices


def test_a_matrix_whose_parts_do_not_fit_together_is_not_whole(path):
    with h5py.File(path, "r+") as file:
        assert StoredMatrix(file["X"]).is_whole()
        broken = "X" if path.stem == "dense" else "X/data"
        shorter = np.ravel(file[broken])[:-1]
        del file[broken]
        file[broken] = shorter
        assert not StoredMatrix(file["X"]).is_whole()


@hypothesis.given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 8), st.integers(1, 8)),
        elements=st.sampled_from([0, 0, 1, 2.5]),
    ),
    st.data(),
    st.sampled_from(sorted(FORMS)),
    st.integers(1, 6),
)
def test_any_part_of_any_matrix_in_blocks_of_any_size(values, data, form, block):
    rows, columns = (
        np.array(sorted(data.draw(st.sets(st.integers(0, size - 1)))), dtype=int)
        for size in values.shape
    )
    with pytest.MonkeyPatch.context() as patch, h5py.File.in_memory() as file:
        patch.setattr(h5ad_values, "_BLOCK_VALUES", block)
        patch.setattr(h5ad_values, "_SMALL_CHUNK", block)
        anndata.io.write_elem(file, "X", FORMS[form](values))
        found = StoredMatrix(file["X"]).part(rows, columns)
    np.testing.assert_array_equal(found.toarray(), values[np.ix_(rows, columns)])
