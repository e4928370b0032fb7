"""Flooding from markers: every pixel of a mask to the marker whose basin it lies in."""

# mypy: allow-untyped-decorators

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_NEVER = -1
_AGE = 32
"""A ticket is an age (0 for markers) above a place of 32 bits."""
_PLACE = (1 << _AGE) - 1


def flood(
    relief: NDArray[np.float64], markers: NDArray[np.int32], parts: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Grow markers over a mask, lowest pixels first (Meyer 1994, "Topographic distance and watershed lines").

    Parameters
    ----------
    relief
        (h, w) float64; basins are low.
    markers
        (h, w) int32: 0 or the number of the marker; those outside the mask are ignored.
    parts
        (h, w) int32: 4-connected parts of the mask, numbered; 0 is outside.

    Returns
    -------
    (h, w) int32 number of the marker; 0 outside the mask and in parts without a marker. A pixel belongs to the marker that
    reaches it first. Reached pixels go on to their upper, left, right and lower neighbour when it is their turn: in the
    order of the highest relief on the way, marker pixels not counted; of equals the one that was reached first. That is
    ``skimage.segmentation.watershed`` of scikit-image 0.26, to the pixel.

    Notes
    -----
    A part with one marker belongs to it, so only parts with more are flooded, from the rims of their markers. The
    order among marker pixels of equal value is that of the binary heap in which they all lie: if such a tie occurs the
    flood starts again with every marker pixel in the heap.
    """
    shape = relief.shape
    size = (shape[0] + 2, shape[1] + 2)
    basins = np.zeros(size, np.int32)
    open_to = np.zeros(size, np.int32)
    heights = np.zeros(size)
    inner = (slice(1, -1), slice(1, -1))
    open_to[inner], heights[inner] = parts, relief
    basins[inner] = np.where(parts > 0, markers, 0)
    flat = (heights.ravel(), open_to.ravel(), size[1])
    grown = basins.copy()
    if _settle_lone(grown.ravel(), flat[1]) and not _grow(grown.ravel(), *flat, True):
        grown = basins
        _grow(grown.ravel(), *flat, False)
    return np.ascontiguousarray(grown[inner])


@njit(nogil=True, cache=True)
def _settle_lone(basins: Any, open_to: Any) -> bool:
    """Fill the parts with one marker; tell whether others are left."""
    n_parts = 0
    for i in range(len(open_to)):
        n_parts = max(n_parts, open_to[i])
    lone = np.zeros(n_parts + 1, np.int32)
    contested = False
    for i in range(len(basins)):
        if basins[i] != 0:
            part = open_to[i]
            if lone[part] == 0:
                lone[part] = basins[i]
            elif lone[part] != basins[i]:
                lone[part] = _NEVER
                contested = True
    for i in range(len(basins)):
        if basins[i] == 0 and open_to[i] != 0 and lone[open_to[i]] > 0:
            basins[i] = lone[open_to[i]]
    return contested


@njit(nogil=True, cache=True)
def _rise(value: Any, ticket: Any, n: int, level: float, mine: int) -> None:
    """Put one more entry into a heap of n: the lowest level first, of equals the earliest."""
    age, hole = mine >> _AGE, n
    while hole > 0:
        parent = (hole - 1) >> 1
        above = value[parent]
        if above < level or (above == level and ticket[parent] >> _AGE <= age):
            break
        value[hole], ticket[hole] = above, ticket[parent]
        hole = parent
    value[hole], ticket[hole] = level, mine


@njit(nogil=True, cache=True)
def _sink(value: Any, ticket: Any, n: int) -> None:
    """Take the first entry out of a heap of n + 1: the last one takes its place and sinks."""
    level, mine = value[n], ticket[n]
    age, hole, child = mine >> _AGE, 0, 1
    while child < n:
        below, below_age = value[child], ticket[child] >> _AGE
        if child + 1 < n:
            other, other_age = value[child + 1], ticket[child + 1] >> _AGE
            if other < below or (other == below and other_age < below_age):
                below, below_age, child = other, other_age, child + 1
        if level < below or (level == below and age <= below_age):
            break
        value[hole], ticket[hole] = below, ticket[child]
        hole = child
        child = 2 * hole + 1
    value[hole], ticket[hole] = level, mine


@njit(nogil=True, cache=True)
def _has_way(basins: Any, open_to: Any, here: int, width: int) -> bool:
    """Tell whether a pixel has a neighbour to reach."""
    for step in (-width, -1, 1, width):
        if open_to[here + step] != 0 and basins[here + step] == 0:
            return True
    return False


@njit(nogil=True, cache=True)
def _grow(basins: Any, heights: Any, open_to: Any, width: int, rims_only: bool) -> bool:
    """Flood in place; False, with work left undone, where only the whole heap decides a tie."""
    steps = (-width, -1, 1, width)
    value, ticket = np.empty(len(basins)), np.empty(len(basins), np.int64)
    n = 0
    for i in range(len(basins)):
        if basins[i] != 0 and (_has_way(basins, open_to, i, width) or not rims_only):
            _rise(value, ticket, n, heights[i], i)
            n += 1
    clock, last = 0, np.inf
    while n > 0:
        level, here = value[0], ticket[0] & _PLACE
        if rims_only and ticket[0] == here:
            if level == last:
                return False
            last = level
        n -= 1
        _sink(value, ticket, n)
        for step in steps:
            there = here + step
            if open_to[there] != 0 and basins[there] == 0:
                basins[there] = basins[here]
                clock += 1
                if rims_only and not _has_way(basins, open_to, there, width):
                    continue
                _rise(value, ticket, n, max(heights[there], level), clock << _AGE | there)
                n += 1
    return True
