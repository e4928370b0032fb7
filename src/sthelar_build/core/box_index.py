"""Which of many small boxes touch a rectangle: the boxes are listed by the squares of a grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

_CELL = 32.0
"""A few nuclei wide, in um: most boxes lie in one or two squares, and few squares make a tile."""


class BoxIndex:
    """Boxes in a plane, to be asked for those of a place; of points too, which are boxes without sides.

    It takes some tens of bytes for every box; a tree of shapely's objects takes hundreds.
    """

    def __init__(self, boxes: Floats) -> None:
        """Take boxes (n, 4): least x, least y, largest x, largest y; one with a NaN is never found."""
        self._boxes = boxes
        known = np.flatnonzero(np.isfinite(boxes).all(axis=1))
        self._corner = boxes[known, :2].min(axis=0) if len(known) else np.zeros(2)
        first, last = self._squares(boxes[known, :2]), self._squares(boxes[known, 2:])
        self._shape = last.max(axis=0)[::-1] + 1 if len(known) else np.zeros(2, np.int64)
        member, square = _members(first, last, int(self._shape[1]))
        self._row = known[member[np.argsort(square, kind="stable")]].astype(np.int32)
        counts = np.bincount(square, minlength=int(self._shape.prod()))
        self._start = np.concatenate([[0], np.cumsum(counts)])

    def touching(self, box: Floats) -> Rows:
        """Return the rows, in order, of the boxes that share a point with a box (4,), edges included."""
        (left, top), (right, bottom) = self._squares(box[:2]), self._squares(box[2:])
        rows, columns = self._shape
        left, right = max(left, 0), min(right, columns - 1)
        if right < left:
            return np.empty(0, np.int64)
        begins = np.arange(max(top, 0), min(bottom, rows - 1) + 1) * columns
        parts = [self._row[self._start[b + left] : self._start[b + right + 1]] for b in begins]
        near = np.unique(np.concatenate([*parts, self._row[:0]])).astype(np.int64)
        found = self._boxes[near]
        touches = (found[:, :2] <= box[2:]).all(axis=1) & (found[:, 2:] >= box[:2]).all(axis=1)
        return np.asarray(near[touches])

    def _squares(self, points: Floats) -> NDArray[np.int64]:
        return np.floor((points - self._corner) / _CELL).astype(np.int64)


def _members(first: Rows, last: Rows, columns: int) -> tuple[Rows, Rows]:
    """Return every pair of a box and a square that it touches: the number of the box, and of the square.

    ``first`` and ``last`` (n, 2), x first, are the squares of the corners of the boxes.
    """
    across, down = (last - first + 1).T
    size = across * down
    box = np.repeat(np.arange(len(size)), size)
    place = np.arange(len(box)) - np.repeat(np.cumsum(size) - size, size)
    row, column = np.divmod(place, across[box])
    return box, (first[box, 1] + row) * columns + first[box, 0] + column
