"""What each instance of a map is: its box, centre and voted type; and its contour, when asked for."""

# mypy: allow-untyped-decorators

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from sthelar_build.core.connected import connected_parts
from sthelar_build.core.dense_ids import dense_ids

Contour = NDArray[np.int32]
_EPSILON = 1e-6
_MIN_CONTOUR_POINTS = 3
_MAX_TYPE = 255


class InstanceEntries(NamedTuple):
    """The instances of one map that have an outline, ids ascending."""

    ids: NDArray[np.int64]
    """(n,) values in the map."""
    bbox: NDArray[np.int32]
    """(n, 4): first row, first column, row after the last, column after the last."""
    centroid_px: NDArray[np.float64]
    """(n, 2) mean column and mean row (x, y) of the pixels."""
    type_index: NDArray[np.int32]
    """(n,) voted type."""
    type_prob: NDArray[np.float64]
    """(n,) share of the pixels that voted for it."""


def instance_entries(instances: NDArray[Any], types: NDArray[Any]) -> InstanceEntries:
    """Describe the instances of a map.

    Parameters
    ----------
    instances
        (h, w) integers, 0 is background. An instance may have several parts; ids may be far apart.
    types
        (h, w) type of every pixel, 0 to 255; 0 is the background type.

    Returns
    -------
    One entry per instance, except those whose first contour has fewer than three points (see `contours`): single
    pixels and straight lines. The type is the most frequent one among the pixels of the instance, the smallest of
    equals; where that is the background and another type occurs, the runner-up. Its probability is
    count / (area + 1e-6), as in CellViT.

    Notes
    -----
    A map without a pixel of background has no entry for its smallest id, as in the original, which takes the smallest
    value for the background.
    """
    if instances.shape != types.shape:
        raise ValueError(f"expected maps of one shape, got {instances.shape} and {types.shape}")
    if types.dtype != np.uint8 and types.size and not 0 <= types.min() <= types.max() <= _MAX_TYPE:
        raise ValueError(f"expected types 0 to {_MAX_TYPE}, got {types.min()} to {types.max()}")
    ids, dense = dense_ids(instances)
    votes, sums = _tallied(dense, np.ascontiguousarray(types, dtype=np.uint8), len(ids))
    extent = _extents(dense, len(ids))
    area = votes.sum(axis=1)
    elected, count = _elected(votes)
    described = _outlined(dense, extent)
    if dense.all():
        described[:1] = False
    kept = np.flatnonzero(described)
    return InstanceEntries(
        ids[kept],
        extent[kept, :4].astype(np.int32),
        _centroids(sums, extent, area)[kept],
        elected[kept],
        (count / (area + _EPSILON))[kept],
    )


def contours(instances: NDArray[Any], ids: NDArray[Any]) -> list[Contour]:
    """Return the first contour of each instance: (k, 2) int32 corners (x, y), in pixels of the map.

    Corners are pixels of the instance. Borders are followed as in Suzuki and Abe (1985) and straight runs reduced
    to their ends; holes and further parts are left out.
    """
    known, dense = dense_ids(instances)
    missing = np.setdiff1d(ids, known)
    if len(missing):
        raise ValueError(f"expected ids of the map, found {missing[:5].tolist()}, which it lacks")
    extent = _extents(dense, len(known))
    numbers = np.searchsorted(known, ids) + 1
    return [_first_contour(dense, int(number), extent[number - 1]) for number in numbers]


def _first_contour(dense: NDArray[np.int32], number: int, extent: NDArray[np.int64]) -> Contour:
    top, left, bottom, right = (int(value) for value in extent[:4])
    mask = (dense[top:bottom, left:right] == number).astype(np.uint8)
    found, _ = cv2.findContours(mask, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    return np.asarray(found[0].reshape(-1, 2) + np.array([left, top]), dtype=np.int32)


def _outlined(dense: NDArray[np.int32], extent: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell whose first contour has three points.

    The outer contour of a part has fewer exactly when all of the part lies on one straight line of the eight
    directions; a contour around a hole has at least four. So the contour itself is only needed for an instance
    of which some parts are lines and others are not.
    """
    parts, area = connected_parts(dense, eight=True)
    if len(area) - 1 == len(extent):
        return np.asarray(~_straight(extent))
    line = _straight(_extents(parts, len(area) - 1))
    owner = np.zeros(len(area), dtype=np.int32)
    owner[parts.ravel()] = dense.ravel()
    n_parts = np.bincount(owner[1:] - 1, minlength=len(extent))
    n_lines = np.bincount(owner[1:][line] - 1, minlength=len(extent))
    outlined: NDArray[np.bool_] = n_lines == 0
    for k in np.flatnonzero((n_lines > 0) & (n_lines < n_parts)):
        points = _first_contour(dense, int(k) + 1, extent[k])
        outlined[k] = len(points) >= _MIN_CONTOUR_POINTS
    return outlined


def _straight(extent: NDArray[np.int64]) -> NDArray[np.bool_]:
    rows, columns = extent[:, 2] - extent[:, 0], extent[:, 3] - extent[:, 1]
    falling, rising = extent[:, 5] - extent[:, 4], extent[:, 7] - extent[:, 6]
    return np.asarray((rows == 1) | (columns == 1) | (falling == 0) | (rising == 0))


def _centroids(
    sums: NDArray[np.int64], extent: NDArray[np.int64], area: NDArray[np.int64]
) -> NDArray[np.float64]:
    # Relative to the box first: the order of rounding of moments of a crop.
    corner = extent[:, 1::-1]
    return np.asarray((sums - area[:, None] * corner) / area[:, None] + corner)


def _elected(votes: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the type of every instance and its number of votes."""
    first = votes.argmax(axis=1)
    others = votes[:, 1:]
    if others.shape[1]:
        runner_up = others.argmax(axis=1) + 1
        first = np.where((first == 0) & others.any(axis=1), runner_up, first)
    return first.astype(np.int32), votes[np.arange(len(votes)), first]


@njit(nogil=True, cache=True)
def _tallied(dense: Any, types: Any, n: int) -> Any:
    """Return votes (n, types) and sums of columns and rows (n, 2)."""
    n_types = 1
    for t in types.flat:
        n_types = max(n_types, int(t) + 1)
    votes, sums = np.zeros((n, n_types), np.int64), np.zeros((n, 2), np.int64)
    for r in range(dense.shape[0]):
        for c in range(dense.shape[1]):
            k = dense[r, c] - 1
            if k >= 0:
                votes[k, types[r, c]] += 1
                sums[k, 0] += c
                sums[k, 1] += r
    return votes, sums


@njit(nogil=True, cache=True)
def _extents(dense: Any, n: int) -> Any:
    """Return (n, 8): box as in `InstanceEntries`, then least and greatest row - column and row + column."""
    far = dense.shape[0] + dense.shape[1]
    extent = np.empty((n, 8), np.int64)
    extent[:, 0:2], extent[:, 2:4] = far, 0
    extent[:, 4], extent[:, 5], extent[:, 6], extent[:, 7] = far, -far, far, 0
    for r in range(dense.shape[0]):
        for c in range(dense.shape[1]):
            k = dense[r, c] - 1
            if k >= 0:
                e = extent[k]
                e[0], e[1] = min(e[0], r), min(e[1], c)
                e[2], e[3] = max(e[2], r + 1), max(e[3], c + 1)
                e[4], e[5] = min(e[4], r - c), max(e[5], r - c)
                e[6], e[7] = min(e[6], r + c), max(e[7], r + c)
    return extent
