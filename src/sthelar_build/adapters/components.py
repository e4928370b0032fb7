"""Principal components of sparse counts. The matrix is read in blocks of rows and never copied whole.

Exact: the eigenvectors of the covariance of all genes, not an iteration stopped early. Every sum is taken in one
order, whatever the number of threads: a thread owns whole rows of the covariance.
"""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor

import numba
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import eigh
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sthelar_build.core.normalise import GeneScale, log_normalise, row_blocks

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
_BLOCK_ROWS = 4096
"""Rows of a block: together with one row of the covariance they stay in the cache of a core."""


def components_of(counts: sp.csr_matrix, n: int, threads: int = 1) -> Floats:
    """Return principal components of log-normalised, scaled, centred counts, the largest first.

    Parameters
    ----------
    counts
        (rows, genes) raw counts.
    n
        Components wanted; there are at most one fewer than rows, and than genes.

    Returns
    -------
    (rows, components) float32; a single column of 0 where there is nothing to take components of. The sign of a
    component is such that its largest loading is positive.
    """
    kept = min(n, min(counts.shape) - 1)
    if kept < 1:
        return _nothing(counts.shape[0])
    scale = GeneScale.of(counts)
    gram = _gram(counts, scale, threads)
    n_rows = counts.shape[0]
    gram -= n_rows * np.outer(scale.means, scale.means)
    loadings = _leading_eigenvectors(gram, kept)
    found = np.empty((n_rows, kept), dtype=np.float32)
    for rows in row_blocks(n_rows):
        block = scale(log_normalise(counts[rows])).astype(np.float64)
        found[rows] = block @ loadings - scale.means @ loadings
    return found


def fused_components(
    first: sp.csr_matrix, second: sp.csr_matrix, n: int, threads: int = 1
) -> Floats:
    """Return components of two count tables of the same rows, each with equal say.

    Multiple factor analysis: ``n`` components of each block, divided by the root of the block's largest
    eigenvalue, side by side, and components of that. One direction is left out, as its variance is
    the least.
    """
    blocks = [_unit_first(components_of(counts, n, threads)) for counts in (first, second)]
    both = np.hstack(blocks).astype(np.float64)
    kept = min(2 * n - 1, min(both.shape) - 1)
    if kept < 1:
        return _nothing(len(both))
    both -= both.mean(axis=0)
    with threadpool_limits(1):
        return np.asarray(both @ _leading_eigenvectors(both.T @ both, kept), dtype=np.float32)


def _nothing(rows: int) -> Floats:
    return np.zeros((rows, 1), dtype=np.float32)


def _unit_first(components: Floats) -> Floats:
    """Return components divided by the standard deviation of the one that varies most."""
    largest = components.var(axis=0, ddof=1, dtype=np.float64).max() if len(components) > 1 else 0.0
    return components / np.float32(np.sqrt(largest)) if largest > 0 else components


def _gram(counts: sp.csr_matrix, scale: GeneScale, threads: int) -> Doubles:
    """Return the products of all genes, summed over rows; (genes, genes)."""
    gram = np.zeros((counts.shape[1], counts.shape[1]))
    with ThreadPoolExecutor(threads) as pool:
        for rows in row_blocks(counts.shape[0], _BLOCK_ROWS):
            _add_block(scale(log_normalise(counts[rows])), gram, pool, threads)
    upper = np.triu(gram, 1)
    gram += upper.T
    return gram


def _add_block(block: sp.csr_matrix, gram: Doubles, pool: Executor, threads: int) -> None:
    """Add the products of a block of rows to the upper triangle; every thread has genes of its own."""
    block.sort_indices()
    places = block.copy()
    places.data = np.arange(block.nnz, dtype=np.int32)
    by_gene = places.tocsc()
    arrays = (block.data, block.indices, block.indptr, by_gene.data, by_gene.indices)

    def add(first: int) -> None:
        _add_products(*arrays, by_gene.indptr, first, threads, gram)

    list(pool.map(add, range(threads)))


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _add_products(
    values: Floats,
    genes: NDArray[np.int32],
    row_ends: NDArray[np.int32],
    places: NDArray[np.int32],
    rows: NDArray[np.int32],
    gene_ends: NDArray[np.int32],
    first: int,
    step: int,
    gram: Doubles,
) -> None:
    """Add a block's products of every ``step``-th gene with itself and those after it."""
    for gene in range(first, len(gene_ends) - 1, step):
        sums = gram[gene]
        for entry in range(gene_ends[gene], gene_ends[gene + 1]):
            place = places[entry]
            value = np.float64(values[place])
            for other in range(place, row_ends[rows[entry] + 1]):
                sums[genes[other]] += value * values[other]


def _leading_eigenvectors(symmetric: Doubles, n: int) -> Doubles:
    """Return the eigenvectors of the ``n`` largest eigenvalues as columns; their largest entry is positive."""
    size = len(symmetric)
    with threadpool_limits(1):
        _, vectors = eigh(symmetric, subset_by_index=(size - n, size - 1))
    vectors = vectors[:, ::-1]
    strongest = np.abs(vectors).argmax(axis=0)
    signed: Doubles = vectors * np.where(vectors[strongest, np.arange(n)] < 0, -1, 1)
    return signed
