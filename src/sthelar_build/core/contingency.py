"""How the instances of two maps share pixels: the one table that every agreement of masks comes from."""

# mypy: allow-untyped-decorators

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sthelar_build.core.dense_ids import dense_ids

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Contingency:
    """Shared pixels of every pair of ids that meet, sorted by true id, then predicted id; 0 is background."""

    true_id: Ids
    predicted_id: Ids
    area_px: Ids
    """(pairs,) pixels that have both."""
    true_area_px: Ids
    """(pairs,) pixels of the true id of the pair, wherever they are."""
    predicted_area_px: Ids

    def iou(self) -> NDArray[np.float64]:
        """Return the intersection over union of every pair."""
        union = self.true_area_px + self.predicted_area_px - self.area_px
        return np.asarray(self.area_px / union)


def runs_of(*maps: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the values (maps, runs) and lengths (runs,) of the runs over which no map changes, row by row.

    Maps are mostly runs of one value: all that follows has tens of times fewer elements than pixels.
    """
    stack = np.empty((len(maps), maps[0].size), np.int64)
    for k, one in enumerate(maps):
        if one.shape != maps[0].shape:
            raise ValueError(f"expected maps of one shape, got {maps[0].shape} and {one.shape}")
        stack[k] = one.ravel()
    starts = _starts(stack)
    return stack[:, starts], np.diff(np.append(starts, stack.shape[1]))


def contingency(true: Ids, predicted: Ids, lengths: NDArray[np.int64]) -> Contingency:
    """Count the pixels of every pair, given the ids (runs,) and the lengths of runs, see `runs_of`."""
    true_ids, true_number = dense_ids(true)
    predicted_ids, predicted_number = dense_ids(predicted)
    columns = len(predicted_ids) + 1
    # Counted from 1: the pair of backgrounds is a pair like the others.
    keys, key_number = dense_ids(true_number.astype(np.int64) * columns + predicted_number + 1)
    area = _sums(key_number, lengths, len(keys) + 1)[1:]
    row, column = np.divmod(keys - 1, columns)
    return Contingency(
        np.append(0, true_ids)[row],
        np.append(0, predicted_ids)[column],
        area,
        _sums(true_number, lengths, len(true_ids) + 1)[row],
        _sums(predicted_number, lengths, columns)[column],
    )


@njit(nogil=True, cache=True)
def _starts(stack: Any) -> Any:
    n_maps, n = stack.shape
    changed = np.zeros(n, np.uint8)
    changed[:1] = 1
    for k in range(n_maps):
        values = stack[k]
        for i in range(1, n):
            changed[i] |= values[i] != values[i - 1]
    starts = np.empty(n + 1, np.int64)
    n_runs = 0
    # No branch: written over until it counts.
    for i in range(n):
        starts[n_runs] = i
        n_runs += changed[i]
    return starts[:n_runs]


@njit(nogil=True, cache=True)
def _sums(number: Any, lengths: Any, n: int) -> Any:
    sums = np.zeros(n, np.int64)
    for i in range(len(number)):
        sums[number[i]] += lengths[i]
    return sums
