"""Connected pixels of equal value, numbered in the order in which a row-by-row scan meets them."""

# mypy: allow-untyped-decorators

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


def connected_parts(
    values: NDArray[Any], eight: bool = False
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Label the connected parts of equal, non-zero value.

    Parameters
    ----------
    values
        (h, w) integers or booleans; 0 is background. Pixels of different values never share a part.
    eight
        Whether pixels that touch at a corner are connected as well.

    Returns
    -------
    parts
        (h, w) int32: 0 on the background, 1..n by the place of the first pixel of a part, row by row. For a mask
        these are the numbers that ``scipy.ndimage.label`` gives.
    area_px
        (n + 1,) int64: pixels of every number, the background first.
    """
    return _number(np.ascontiguousarray(values), eight)  # type: ignore[no-any-return]


@njit(nogil=True, cache=True)
def _root(parent: Any, node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@njit(nogil=True, cache=True)
def _join(parent: Any, one: int, other: int) -> int:
    one, other = _root(parent, one), _root(parent, other)
    # The smaller number is the older one: the root stays the first that the scan met.
    if one < other:
        parent[other] = one
        return one
    parent[one] = other
    return other


@njit(nogil=True, cache=True)
def _number(values: Any, eight: bool) -> Any:
    height, width = values.shape
    parts = np.zeros((height, width), np.int32)
    parent = np.empty(height * ((width + 1) // 2 + width // 2) + 1, np.int32)
    parent[0] = 0
    n = 1
    for r in range(height):
        for c in range(width):
            value = values[r, c]
            if value == 0:
                continue
            part = 0
            if c > 0 and values[r, c - 1] == value:
                part = parts[r, c - 1]
            if r > 0:
                if values[r - 1, c] == value:
                    part = _met(parent, part, parts[r - 1, c])
                elif eight:
                    if c > 0 and values[r - 1, c - 1] == value:
                        part = _met(parent, part, parts[r - 1, c - 1])
                    if c + 1 < width and values[r - 1, c + 1] == value:
                        part = _met(parent, part, parts[r - 1, c + 1])
            if part == 0:
                parent[n] = n
                part = n
                n += 1
            parts[r, c] = part
    return _renumbered(parts, parent[:n])


@njit(nogil=True, cache=True)
def _met(parent: Any, part: int, above: int) -> int:
    if part == 0 or part == above:
        return above
    return int(_join(parent, part, above))


@njit(nogil=True, cache=True)
def _renumbered(parts: Any, parent: Any) -> Any:
    number = np.zeros(len(parent), np.int32)
    n = 0
    for node in range(1, len(parent)):
        if parent[node] == node:
            n += 1
            number[node] = n
        else:
            number[node] = number[_root(parent, node)]
    area = np.zeros(n + 1, np.int64)
    flat = parts.ravel()
    for i in range(len(flat)):
        flat[i] = number[flat[i]]
        area[flat[i]] += 1
    return parts, area
