"""Log-normalised expression, kept sparse."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

TARGET_SUM = 1e4
"""Counts per object after normalisation."""


def log_normalise(counts: sp.csr_matrix, target_sum: float = TARGET_SUM) -> sp.csr_matrix:
    """Return ``log(1 + counts * target_sum / row sum)`` as CSR float32 of the same pattern.

    Every row is scaled to ``target_sum``; a row without counts stays empty. The input is not modified.
    """
    totals = row_sums(counts)
    factors = np.divide(target_sum, totals, out=np.zeros_like(totals), where=totals > 0)
    logged = sp.csr_matrix(counts, dtype=np.float32, copy=True)
    logged.data *= np.repeat(factors, np.diff(logged.indptr)).astype(np.float32)
    np.log1p(logged.data, out=logged.data)
    return logged


def row_sums(matrix: sp.csr_matrix) -> NDArray[np.float64]:
    """Return the sum of every row as a flat array."""
    return np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()


def group_sums(
    matrix: sp.csr_matrix, groups: NDArray[np.integer], n_groups: int
) -> NDArray[np.float64]:
    """Return the column sums of every group of rows, dense (n_groups, columns).

    ``groups`` holds one number per row; rows with a negative number belong to none.
    """
    return np.asarray(group_sums_sparse(matrix, groups, n_groups).toarray(), dtype=np.float64)


def group_sums_sparse(
    matrix: sp.csr_matrix, groups: NDArray[np.integer], n_groups: int
) -> sp.csr_matrix:
    """Return what :func:`group_sums` returns, as CSR."""
    rows = np.flatnonzero(groups >= 0)
    shape = (n_groups, matrix.shape[0])
    members = sp.csr_matrix((np.ones(len(rows)), (groups[rows], rows)), shape=shape)
    return (members @ matrix).tocsr()


def scale_genes(logged: sp.csr_matrix, ceiling: float = 10.0) -> sp.csr_matrix:
    """Return expression in standard deviations of every gene, still sparse, not centred.

    After centring, a value is at most ``ceiling``: what scanpy's ``scale(max_value=10)`` gives, without a
    dense matrix. A gene that does not vary becomes 0.
    """
    n_rows = max(logged.shape[0], 1)
    means = np.asarray(logged.sum(axis=0), dtype=np.float64).ravel() / n_rows
    squares = np.asarray(logged.multiply(logged).sum(axis=0), dtype=np.float64).ravel()
    freedom = max(n_rows - 1, 1)
    deviations = np.sqrt(np.maximum(squares - n_rows * means**2, 0) / freedom)
    factors = np.divide(1, deviations, out=np.zeros_like(means), where=deviations > 1e-6)
    scaled = sp.csr_matrix(logged, dtype=np.float32, copy=True)
    scaled.data *= factors[scaled.indices].astype(np.float32)
    highest = (ceiling + means * factors)[scaled.indices].astype(np.float32)
    np.minimum(scaled.data, highest, out=scaled.data)
    return scaled
