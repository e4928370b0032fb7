"""Log-normalised expression, kept sparse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

TARGET_SUM = 1e4
"""Counts per object after normalisation."""
BLOCK_ROWS = 16_384
"""Rows that are normalised at a time: few enough to stay small, enough to be quick."""
_SUMMED_ROWS = 131_072
"""Rows that are summed at a time: sums of counts are exact, those of other numbers differ with it in the last bits."""


def log_normalise(counts: sp.csr_matrix, target_sum: float = TARGET_SUM) -> sp.csr_matrix:
    """Return ``log(1 + counts * target_sum / row sum)`` as CSR float32.

    Every row is scaled to ``target_sum``; a row without counts stays empty. The input is not modified; the result has
    its ``indices`` and ``indptr``, not copies of them.
    """
    factors = _factors(counts, target_sum)
    values = counts.data.astype(np.float32)
    for rows in row_blocks(counts.shape[0]):
        ends = counts.indptr[rows.start : rows.stop + 1]
        values[ends[0] : ends[-1]] *= np.repeat(factors[rows], np.diff(ends))
    np.log1p(values, out=values)
    return sp.csr_matrix((values, counts.indices, counts.indptr), shape=counts.shape)


def log_normalised_columns(counts: sp.csr_matrix) -> sp.csc_matrix:
    """Return the values of :func:`log_normalise` as CSC, without a CSR matrix of them on the way."""
    factors = _factors(counts, TARGET_SUM)
    columns = counts.tocsc(copy=True).astype(np.float32, copy=False)
    for column in range(columns.shape[1]):
        part = slice(columns.indptr[column], columns.indptr[column + 1])
        columns.data[part] *= factors[columns.indices[part]]
    np.log1p(columns.data, out=columns.data)
    return columns


def _factors(counts: sp.csr_matrix, target_sum: float) -> NDArray[np.float32]:
    totals = row_sums(counts)
    factors = np.divide(target_sum, totals, out=np.zeros_like(totals), where=totals > 0)
    return factors.astype(np.float32)


def row_sums(matrix: sp.csr_matrix) -> NDArray[np.float64]:
    """Return the sum of every row as a flat array."""
    return np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()


def group_sums(
    matrix: sp.csr_matrix, groups: NDArray[np.integer], n_groups: int
) -> NDArray[np.float64]:
    """Return the column sums of every group of rows, dense (n_groups, columns).

    ``groups`` holds one number per row; rows with a negative number belong to none.
    """
    sums = np.zeros((n_groups, matrix.shape[1]))
    for rows in row_blocks(matrix.shape[0], _SUMMED_ROWS):
        sums += group_sums_sparse(matrix[rows], groups[rows], n_groups, np.float64).toarray()
    return sums


def group_sums_sparse(
    matrix: sp.csr_matrix,
    groups: NDArray[np.integer],
    n_groups: int,
    dtype: type[np.floating] = np.float32,
) -> sp.csr_matrix:
    """Return what :func:`group_sums` returns, as CSR; sums of counts below 2**24 are exact as float32."""
    rows = np.flatnonzero(groups >= 0)
    shape = (n_groups, matrix.shape[0])
    members = sp.csr_matrix((np.ones(len(rows), dtype), (groups[rows], rows)), shape=shape)
    return (members @ matrix).tocsr()


@dataclass(frozen=True)
class GeneScale:
    """How to bring log-normalised expression to standard deviations of every gene, not centred."""

    means: NDArray[np.float64]
    """Mean of every gene, once scaled."""
    factors: NDArray[np.float32]
    """One over the standard deviation; 0 for a gene that does not vary."""
    ceilings: NDArray[np.float32]
    """Highest scaled value: that many standard deviations above the mean."""

    @classmethod
    def of(cls, counts: sp.csr_matrix, ceiling: float = 10.0) -> GeneScale:
        """Measure raw counts, log-normalised block by block: never is there a second matrix of that size."""
        n_rows, n_genes = counts.shape
        sums, squares = np.zeros(n_genes), np.zeros(n_genes)
        for rows in row_blocks(n_rows):
            block = log_normalise(counts[rows])
            logged = block.data.astype(np.float64)
            sums += np.bincount(block.indices, logged, minlength=n_genes)
            squares += np.bincount(block.indices, logged**2, minlength=n_genes)
        means = sums / max(n_rows, 1)
        variances = np.maximum(squares - n_rows * means**2, 0) / max(n_rows - 1, 1)
        deviations = np.sqrt(variances)
        factors = np.divide(1, deviations, out=np.zeros_like(means), where=deviations > 1e-6)
        highest = (ceiling + means * factors).astype(np.float32)
        scale = cls(np.zeros(n_genes), factors.astype(np.float32), highest)
        clipped = np.zeros(n_genes)
        for rows in row_blocks(n_rows):
            block = scale(log_normalise(counts[rows]))
            clipped += np.bincount(block.indices, block.data, minlength=n_genes)
        return replace(scale, means=clipped / max(n_rows, 1))

    def __call__(self, logged: sp.csr_matrix) -> sp.csr_matrix:
        """Return log-normalised rows scaled, as CSR float32 of the same pattern.

        After centring with the mean before the ceiling, a value is at most the ceiling: what scanpy's
        ``scale(max_value=10)`` gives, without a dense matrix.
        """
        scaled = sp.csr_matrix(logged, dtype=np.float32, copy=True)
        scaled.data *= self.factors[scaled.indices]
        np.minimum(scaled.data, self.ceilings[scaled.indices], out=scaled.data)
        return scaled


def row_blocks(n_rows: int, block: int = BLOCK_ROWS) -> Iterator[slice]:
    """Yield slices that cover all rows, one after the other, each of at most ``block``."""
    for start in range(0, n_rows, block):
        yield slice(start, min(start + block, n_rows))
