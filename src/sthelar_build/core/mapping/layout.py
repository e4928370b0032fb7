"""The arrays of the kernels: rows filled up to whole lanes, and chunks of cells with sums of their own."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from sthelar_build.core.mapping.lanes import WIDTH
from sthelar_build.core.mapping.objective import (
    Doubles,
    Floats,
    Problem,
    Slopes,
    Weights,
    cell_similarity,
)
from sthelar_build.core.mapping.records import CellParts, CellTarget, Counts, PartSums, Pulls

_LINE_BYTES = 64
_CHUNK_CELLS = 1024
_MOST_CHUNKS = 64
_MOST_SUMS = 1 << 25
"""Numbers that the sums of all chunks may hold: 400 MB."""


def padded_width(n_labels: int) -> int:
    """Return the number of labels filled up to whole lanes."""
    return -(-n_labels // WIDTH) * WIDTH


def padded(values: NDArray[np.floating], n_rows: int, width: int) -> Floats:
    """Return values as float32 (n_rows, width) on cache lines, filled up with zeros."""
    rows = np.atleast_2d(values)
    whole = aligned_zeros(n_rows, width)
    whole[: rows.shape[0], : rows.shape[1]] = rows
    return whole


def aligned_zeros(n_rows: int, width: int) -> Floats:
    """Return float32 zeros whose rows begin on cache lines: lanes that straddle two take twice the time."""
    store = np.zeros(n_rows * width * 4 + _LINE_BYTES, dtype=np.uint8)
    first = -store.ctypes.data % _LINE_BYTES
    return store[first : first + n_rows * width * 4].view(np.float32).reshape(n_rows, width)


def kernel_counts(counts: sp.csr_matrix) -> Counts:
    """Return counts as the kernels take them; values that are float32 are not copied."""
    return Counts(
        counts.indptr.astype(np.int64),
        counts.indices.astype(np.int32, copy=False),
        counts.data.astype(np.float32, copy=False),
    )


def kernel_pulls(slopes: Slopes, entropy_weight: float, width: int) -> Pulls:
    """Return slopes as the kernels take them."""
    return Pulls(
        padded(slopes.pull, len(slopes.pull), width),
        padded(slopes.shrink, width, width),
        padded(slopes.column_sums, 1, width),
        np.float32(entropy_weight),
    )


def cell_parts(problem: Problem, width: int) -> CellParts:
    """Return room for the cells' own terms, and what of them stays fixed."""
    n_cells = problem.counts.shape[0]
    similarity, gram = aligned_zeros(0, width), aligned_zeros(0, width)
    if problem.weights.cells:
        similarity = padded(cell_similarity(problem.counts, problem.profiles), n_cells, width)
        gram = padded(problem.profiles @ problem.profiles.T, width, width)
    return CellParts(
        padded(problem.label_density, 1, width),
        np.zeros(n_cells, np.float32),
        similarity,
        gram,
        np.zeros(len(similarity), np.float32),
        np.zeros(len(similarity), np.float32),
    )


def cell_target(density: Doubles, weights: Weights) -> CellTarget:
    """Return what the cells' own terms aim at."""
    return CellTarget(
        density.astype(np.float32),
        np.float32(weights.density),
        np.float32(weights.cells / len(density)),
    )


def chunks(n_cells: int, numbers_per_chunk: int) -> list[tuple[int, int]]:
    """Return the first cell of every chunk and the one after its last; it depends on the problem alone."""
    most = max(1, min(_MOST_CHUNKS, _MOST_SUMS // numbers_per_chunk))
    n_chunks = max(1, min(most, n_cells // _CHUNK_CELLS))
    edges = np.linspace(0, n_cells, n_chunks + 1).astype(int).tolist()
    return list(pairwise(edges))


def no_parts(n_genes: int, width: int) -> PartSums:
    """Return zeros in float32, for the sums over some rows."""
    shapes = ((1, width), (1, width), (n_genes, width), (width, width))
    return PartSums(*(aligned_zeros(*shape) for shape in shapes))
