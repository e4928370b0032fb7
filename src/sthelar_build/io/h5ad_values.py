"""Chosen rows and columns of a matrix of an h5ad file, read block by block in the order of the file.

The matrix never stands in memory: at most a few million stored values do, beside what was chosen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Rows = NDArray[np.intp]
_BLOCK_VALUES = 2_000_000
"""Stored values that are read at once."""
_SMALL_CHUNK = 65_536
"""Values that are rather read than jumped over."""


@dataclass(frozen=True, eq=False)
class StoredMatrix:
    """A matrix in a file: a group (CSR or CSC), or a dataset (dense)."""

    element: Any
    """What h5py has for it."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows (cells), columns (genes)."""
        if isinstance(self.element, h5py.Dataset):
            return self.element.shape[0], self.element.shape[1]
        attributes = self.element.attrs
        rows, columns = attributes["shape" if "shape" in attributes else "h5sparse_shape"]
        return int(rows), int(columns)

    @property
    def form(self) -> str:
        """Return csr, csc or dense."""
        if isinstance(self.element, h5py.Dataset):
            return "dense"
        attributes = self.element.attrs
        said = attributes["encoding-type" if "encoding-type" in attributes else "h5sparse_format"]
        return "csc" if "csc" in str(said) else "csr"

    def is_whole(self) -> bool:
        """Return whether its parts fit together."""
        if self.form == "dense":
            return len(self.element.shape or ()) == 2
        bounds, n_values = self.element["indptr"][()], len(self.element["data"])
        n_majors = self.shape[self.form == "csc"]
        return bool(
            len(bounds) == n_majors + 1
            and len(self.element["indices"]) == n_values
            and bounds[0] == 0
            and bounds[-1] == n_values
            and (np.diff(bounds) >= 0).all()
        )

    def part(self, rows: Rows, columns: Rows) -> sp.csr_matrix:
        """Return the values of these rows and columns, both ascending, as CSR float32 (rows, columns).

        A matrix stored by row is read where the rows are, one stored by column where the columns are; either way
        every stored value at most once, and never more than a block of them at a time.
        """
        if self.form == "dense":
            return _stacked(_dense_blocks(self.element, rows, columns), len(columns))
        if self.form == "csr":
            return _stacked(
                _stored_blocks(self.element, rows, columns, self.shape[1]), len(columns)
            )
        by_column = _stored_blocks(self.element, columns, rows, self.shape[0])
        return _stacked(by_column, len(rows)).T.tocsr()


def _stacked(blocks: Iterator[sp.csr_matrix], width: int) -> sp.csr_matrix:
    parts = list(blocks)
    if not parts:
        return sp.csr_matrix((0, width), dtype=np.float32)
    return sp.vstack(parts, format="csr", dtype=np.float32)


def _dense_blocks(dataset: Any, rows: Rows, columns: Rows) -> Iterator[sp.csr_matrix]:
    width = max(dataset.shape[1], 1)
    starts = rows * width
    for run in _runs(starts, starts + width, _gap(dataset)):
        first = rows[run][0]
        block = dataset[int(first) : int(rows[run][-1]) + 1]
        yield sp.csr_matrix(block[np.ix_(rows[run] - first, columns)].astype(np.float32))


def _stored_blocks(
    group: Any, majors: Rows, minors: Rows, n_minors: int
) -> Iterator[sp.csr_matrix]:
    """Yield (some of the majors, minors): majors are what the matrix is stored by."""
    bounds = group["indptr"][()].astype(np.int64)
    starts, ends = bounds[majors], bounds[majors + 1]
    places = np.full(n_minors, -1, dtype=np.int32)
    places[minors] = np.arange(len(minors), dtype=np.int32)
    for run in _runs(starts, ends, _gap(group["indices"])):
        yield _block(group, starts[run], ends[run], places, len(minors))


def _block(
    group: Any,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    places: NDArray[np.int32],
    width: int,
) -> sp.csr_matrix:
    read = slice(int(starts[0]), int(ends[-1]))
    stored = group["indices"][read]
    if len(stored) and not 0 <= stored.min() <= stored.max() < len(places):
        raise ValueError("the matrix has values outside of its shape")
    found = places[stored]
    kept = np.flatnonzero((found >= 0) & _inside(starts, ends))
    # Values before every boundary: unchosen stretches between two majors hold none.
    bounds = np.searchsorted(kept, np.append(starts - starts[0], len(found)))
    values = group["data"][read][kept].astype(np.float32)
    block = sp.csr_matrix((values, found[kept], bounds), shape=(len(starts), width))
    block.sum_duplicates()
    return block


def _inside(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return, for every value between the first start and the last end, whether a major that was chosen has it."""
    lengths = np.empty(2 * len(starts) - 1, dtype=np.int64)
    lengths[::2] = ends - starts
    lengths[1::2] = starts[1:] - ends[:-1]
    return np.repeat(np.arange(len(lengths)) % 2 == 0, lengths)


def _gap(dataset: Any) -> int:
    """Return from how many values on it pays to jump: those of a chunk, which is read whole."""
    return max(int(np.prod(dataset.chunks)) if dataset.chunks else 0, _SMALL_CHUNK)


def _runs(starts: NDArray[np.integer], ends: NDArray[np.integer], gap: int) -> Iterator[slice]:
    """Yield runs of neighbours that are read at once: up to a block, and without a gap as wide as ``gap``."""
    first = 0
    for number in range(1, len(starts) + 1):
        if (
            number == len(starts)
            or ends[number] - starts[first] > _BLOCK_VALUES
            or starts[number] - ends[number - 1] > gap
        ):
            yield slice(first, number)
            first = number
