"""Maps as the three arrays of a compressed sparse row matrix."""

# mypy: allow-untyped-decorators

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int32]


class CsrMap(NamedTuple):
    """What scipy calls data, indices and indptr of a matrix, all int32."""

    data: Ints
    indices: Ints
    indptr: Ints

    def mapped(self, values: NDArray[Any]) -> CsrMap:
        """Return the map with ``values[k]`` where k was; ValueError if a value that is not background becomes 0."""
        data = np.take(values, self.data).astype(np.int32)
        if not data.all():
            raise ValueError("expected a value other than 0 for everything in the map")
        return self._replace(data=data)


def csr_map(dense: NDArray[Any]) -> CsrMap:
    """Return a map (y, x) of integers in sparse form, as ``scipy.sparse.csr_array(dense)`` does: rows in order, no zeros."""
    values = np.ascontiguousarray(dense)
    indptr = np.zeros(len(values) + 1, dtype=np.int32)
    _count(values, indptr)
    data, indices = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.int32)
    _fill(values, data, indices)
    return CsrMap(data, indices, indptr)


@njit(nogil=True, cache=True)
def _count(dense: NDArray[Any], indptr: Ints) -> None:
    height, width = dense.shape
    for row in range(height):
        n = 0
        for column in range(width):
            n += dense[row, column] != 0
        indptr[row + 1] = indptr[row] + n


@njit(nogil=True, cache=True)
def _fill(dense: NDArray[Any], data: Ints, indices: Ints) -> None:
    place = 0
    height, width = dense.shape
    for row in range(height):
        for column in range(width):
            if dense[row, column]:
                data[place], indices[place] = dense[row, column], column
                place += 1
