"""Sparse maps are those of scipy."""

import numpy as np
import pytest
import scipy.sparse

from sthelar_build.core.csr_maps import csr_map


def test_rows_follow_each_other_without_zeros():
    found = csr_map(np.array([[0, 7, 0], [0, 0, 0], [5, 0, 6]], dtype=np.int32))
    assert found.data.tolist() == [7, 5, 6]
    assert found.indices.tolist() == [1, 0, 2]
    assert found.indptr.tolist() == [0, 1, 1, 3]


@pytest.mark.parametrize("kind", [np.int32, np.uint8, np.uint32])
def test_it_is_the_matrix_of_scipy(kind):
    rng = np.random.default_rng(0)
    dense = rng.integers(0, 200, (40, 30)) * (rng.random((40, 30)) < 0.3)
    theirs = scipy.sparse.csr_array(dense.astype(kind))
    found = csr_map(dense.astype(kind))
    for name in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(found, name), getattr(theirs, name))
        assert getattr(found, name).dtype == np.int32


def test_an_empty_map_has_no_entries():
    found = csr_map(np.zeros((2, 2), np.uint8))
    assert (len(found.data), found.indptr.tolist()) == (0, [0, 0, 0])


def test_values_are_replaced_where_they_stand():
    found = csr_map(np.array([[0, 2], [1, 0]], dtype=np.int32)).mapped(np.array([0, 70, 40]))
    assert found.data.tolist() == [40, 70]
    assert found.data.dtype == np.int32
    assert found.indices.tolist() == [1, 0]


def test_nothing_in_a_map_may_become_background():
    with pytest.raises(ValueError, match="other than 0"):
        csr_map(np.array([[0, 2], [1, 0]], dtype=np.int32)).mapped(np.array([0, 0, 40]))
