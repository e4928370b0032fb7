"""Any ids of a map as 1..n, without sorting its pixels."""

# mypy: allow-untyped-decorators

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio: multiplying by it spreads consecutive keys (Knuth 1998, section 6.4)."""


def dense_ids(values: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the ids of a map, ascending and without 0, and the map with the k-th of them as k (from 1).

    Parameters
    ----------
    values
        Integers of any shape that fit int64; 0 is background. Ids may be negative, huge and far apart.
    """
    flat = np.ascontiguousarray(values, dtype=np.int64)
    met, dense = _numbered(flat.ravel())
    order = np.argsort(met)
    rank = np.zeros(len(met) + 1, dtype=np.int32)
    rank[order + 1] = np.arange(1, len(met) + 1)
    return met[order], rank[dense].reshape(flat.shape)


@njit(nogil=True, cache=True)
def _slot(keys: Any, used: Any, key: int) -> int:
    mask = len(keys) - 1
    place = int((np.uint64(key) * _SPREAD) >> np.uint64(32)) & mask
    while used[place] != 0 and keys[place] != key:
        place = (place + 1) & mask
    return place


@njit(nogil=True, cache=True)
def _table_size(values: Any) -> int:
    runs = 1
    for i in range(1, len(values)):
        runs += values[i] != values[i - 1]
    size = 16
    while size < 2 * runs:
        size *= 2
    return size


@njit(nogil=True, cache=True)
def _numbered(values: Any) -> Any:
    """Return the ids as they are met, and for every value its number among them, 0 for 0."""
    size = _table_size(values)
    keys, number = np.zeros(size, np.int64), np.zeros(size, np.int32)
    met = np.empty(size, np.int64)
    dense = np.zeros(len(values), np.int32)
    n, last, last_number = 0, 0, 0
    for i in range(len(values)):
        value = values[i]
        if value != last:
            last, last_number = value, 0
            if value != 0:
                place = _slot(keys, number, value)
                if number[place] == 0:
                    keys[place] = value
                    met[n] = value
                    n += 1
                    number[place] = n
                last_number = number[place]
        dense[i] = last_number
    return met[:n], dense
