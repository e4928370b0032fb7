"""Sparse normalisation gives what the dense formulas give."""

import numpy as np
import scipy.sparse as sp

from sthelar_build.core.normalise import group_sums, log_normalise, scale_genes


def test_every_row_is_scaled_to_the_same_sum_and_empty_rows_stay_empty():
    logged = log_normalise(sp.csr_matrix([[1.0, 3.0], [0.0, 0.0]]), target_sum=8)
    np.testing.assert_allclose(logged.toarray(), np.log1p([[2.0, 6.0], [0.0, 0.0]]), rtol=1e-6)


def test_counts_are_not_modified():
    counts = sp.csr_matrix([[1.0, 3.0]])
    log_normalise(counts)
    assert counts.toarray().tolist() == [[1, 3]]


def test_rows_without_a_group_are_in_no_sum():
    sums = group_sums(sp.csr_matrix([[1.0], [2.0], [4.0]]), np.array([1, -1, 1]), 2)
    assert sums.tolist() == [[0], [5]]


def test_scaled_genes_are_the_dense_ones_up_to_their_means():
    rng = np.random.default_rng(0)
    dense = rng.poisson(0.1, (300, 4)).astype(np.float64)
    dense[0, 0] = 50
    dense[:, 3] = 0
    centred = dense - dense.mean(axis=0)
    deviation = dense.std(axis=0, ddof=1)
    expected = np.minimum(centred / np.where(deviation > 0, deviation, 1), 10)
    scaled = scale_genes(sp.csr_matrix(dense)).toarray()
    means = dense.mean(axis=0) / np.where(deviation > 0, deviation, 1)
    np.testing.assert_allclose(scaled - means, expected, atol=1e-5)
