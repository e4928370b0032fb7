"""Sparse normalisation gives what the dense formulas give."""

import numpy as np
import scipy.sparse as sp

from sthelar_build.core import normalise
from sthelar_build.core.normalise import (
    GeneScale,
    group_sums,
    log_normalise,
    log_normalised_columns,
    row_blocks,
)


def test_every_row_is_scaled_to_the_same_sum_and_empty_rows_stay_empty():
    logged = log_normalise(sp.csr_matrix([[1.0, 3.0], [0.0, 0.0]]), target_sum=8)
    np.testing.assert_allclose(logged.toarray(), np.log1p([[2.0, 6.0], [0.0, 0.0]]), rtol=1e-6)


def test_counts_are_not_modified():
    counts = sp.csr_matrix([[1.0, 3.0]])
    log_normalise(counts)
    assert counts.toarray().tolist() == [[1, 3]]


def test_normalised_counts_share_their_pattern_with_the_counts():
    counts = sp.csr_matrix([[1.0, 3.0]])
    logged = log_normalise(counts)
    assert logged.dtype == np.float32
    assert np.shares_memory(logged.indices, counts.indices)
    assert np.shares_memory(logged.indptr, counts.indptr)


def test_columns_are_normalised_as_rows_are():
    counts = sp.csr_matrix(np.random.default_rng(0).poisson(0.5, (40_000, 4)))
    found = log_normalised_columns(counts)
    assert found.format == "csc"
    assert (found != log_normalise(counts).tocsc()).nnz == 0
    assert counts.max() < 20


def test_sums_over_several_blocks_of_rows_are_those_of_all_rows(monkeypatch):
    monkeypatch.setattr(normalise, "_SUMMED_ROWS", 2)
    sums = group_sums(sp.csr_matrix([[1.0], [2.0], [4.0], [8.0], [16.0]]), np.arange(5) % 2, 2)
    assert sums.tolist() == [[21], [10]]


def test_rows_without_a_group_are_in_no_sum():
    sums = group_sums(sp.csr_matrix([[1.0], [2.0], [4.0]]), np.array([1, -1, 1]), 2)
    assert sums.tolist() == [[0], [5]]


def test_scaled_genes_are_the_dense_ones_up_to_their_means():
    """One cell alone has gene 0, which the ceiling cuts; no cell has gene 4."""
    rng = np.random.default_rng(0)
    table = rng.poisson(0.3, (300, 5)).astype(np.float32)
    table[:, 0] = 0
    table[0, 0] = 40
    table[:, 4] = 0
    logged = log_normalise(sp.csr_matrix(table)).toarray().astype(np.float64)
    centred = logged - logged.mean(axis=0)
    deviations = logged.std(axis=0, ddof=1)
    expected = np.minimum(centred / np.where(deviations > 0, deviations, 1), 10)
    assert expected.max() == 10
    scale = GeneScale.of(sp.csr_matrix(table))
    scaled = scale(log_normalise(sp.csr_matrix(table))).toarray()
    middle = logged.mean(axis=0) / np.where(deviations > 0, deviations, 1)
    np.testing.assert_allclose(scaled - middle, expected, atol=1e-5)
    np.testing.assert_allclose(scale.means, scaled.mean(axis=0), atol=1e-6)


def test_blocks_cover_every_row_once():
    assert list(row_blocks(7, 3)) == [slice(0, 3), slice(3, 6), slice(6, 7)]
    assert list(row_blocks(0, 3)) == []
