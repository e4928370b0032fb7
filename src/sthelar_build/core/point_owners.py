"""Which polygon holds which point: as GEOS decides it, many times as fast as a tree of boxes."""

# mypy: allow-untyped-decorators

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray

from sthelar_build.core.assignment import NONE
from sthelar_build.core.outlines import Outlines
from sthelar_build.core.polygons import Geometries
from sthelar_build.core.raster import draw_order

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_OUTSIDE, _INSIDE, _UNSURE = 0, 1, 2
_UNDECIDED = -2
_ROUNDING = (3 + 16 * 2.0**-53) * 2.0**-53
"""Beyond this share of its two products, the sign of a 2 x 2 determinant of differences is right (Shewchuk, Discrete &
Computational Geometry 18, 1997, ``orient2d``)."""
_BINS_PER_POLYGON = 16
_FEWEST_BINS = 1024


@dataclass(frozen=True)
class _Bins:
    """Squares of a grid, each with the polygons whose box meets it, in ascending order."""

    left: float
    top: float
    side: float
    columns: int
    rows: int
    start: Ints
    """(rows * columns + 1,) where the polygons of each square begin."""
    polygon: NDArray[np.int32]


class PointOwners:
    """Polygons, ready to tell which of them holds each of many points.

    A point on a border is inside. Where several polygons hold it, the smaller one does, and of equal ones the first: the
    rule of the masks (``raster.draw_order``).

    Parameters
    ----------
    geometries
        (n,) valid polygons and multipolygons, holes and all; None holds nothing.

    Notes
    -----
    Candidates come from a grid of squares; then edges are counted along a ray. The sign of every determinant is checked
    against its rounding error; the few points so near to a border that it is in doubt are given to GEOS, whose
    arithmetic is exact there.
    """

    def __init__(self, geometries: Geometries) -> None:
        present = np.flatnonzero(~shapely.is_missing(geometries))
        first = draw_order(shapely.area(geometries[present]), present)[::-1]
        self._row = present[first]
        self._geometries = geometries[self._row]
        self._outlines = Outlines.of(self._geometries)
        boxes = np.asarray(shapely.bounds(self._geometries), dtype=np.float64).reshape(-1, 4)
        self._bins = _binned(boxes)

    def __call__(self, points_xy: NDArray[np.floating]) -> Ints:
        """Return the row of the polygon that holds each point (n, 2); -1 where none does."""
        if not len(self._row):
            return np.full(len(points_xy), NONE, dtype=np.int64)
        x, y = np.ascontiguousarray(np.asarray(points_xy, dtype=np.float64).T)
        grid, outlines = self._bins, self._outlines
        square = _squares(grid, x, y)
        found = _first_holders(
            x, y, square, grid.start, grid.polygon,
            outlines.vertices, outlines.ends_ring, outlines.start,
        )  # fmt: skip
        for point in np.flatnonzero(found == _UNDECIDED):
            found[point] = self._by_geos(int(square[point]), x[point], y[point])
        return np.where(found == NONE, NONE, self._row[found])

    def _by_geos(self, square: int, x: float, y: float) -> int:
        start, stop = self._bins.start[square], self._bins.start[square + 1]
        candidates = self._bins.polygon[start:stop]
        holds = shapely.intersects_xy(self._geometries[candidates], x, y)
        return int(candidates[holds.argmax()]) if holds.any() else NONE


def _binned(boxes: Floats) -> _Bins:
    """Lay a grid over boxes (n, 4): left, top, right, bottom."""
    if not len(boxes):
        return _Bins(0, 0, 1, 1, 1, np.zeros(2, np.int64), np.zeros(0, np.int32))
    left, top = boxes[:, :2].min(axis=0)
    width, height = boxes[:, 2:].max(axis=0) - (left, top)
    usual = float(np.median(np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]))) / 2
    most = _FEWEST_BINS + _BINS_PER_POLYGON * len(boxes)
    side = max(usual, math.sqrt(width * height / most), max(width, height) / most)
    columns, rows = int(width / side) + 1, int(height / side) + 1
    reach = np.column_stack(
        [((boxes[:, [0, 2]] - left) / side), ((boxes[:, [1, 3]] - top) / side)]
    ).astype(np.int64)
    start, polygon = _filled(reach, columns, rows)
    return _Bins(float(left), float(top), side, columns, rows, start, polygon)


def _squares(grid: _Bins, x: Floats, y: Floats) -> Ints:
    """Return the number of the square of every point; -1 beyond the grid, and for what is no number."""
    with np.errstate(invalid="ignore"):
        column, row = np.floor((x - grid.left) / grid.side), np.floor((y - grid.top) / grid.side)
        inside = (column >= 0) & (column < grid.columns) & (row >= 0) & (row < grid.rows)
    number = np.where(inside, row * grid.columns + column, NONE)
    return np.asarray(number, dtype=np.int64)


@njit(cache=True)
def _filled(reach: Ints, columns: int, rows: int) -> tuple[Ints, NDArray[np.int32]]:
    """Return the start of every square's polygons, and the polygons; ``reach`` is first, last column, first, last row."""
    number = np.zeros(rows * columns + 1, dtype=np.int64)
    for polygon in range(len(reach)):
        first, last, top, bottom = reach[polygon]
        for row in range(top, bottom + 1):
            for column in range(first, last + 1):
                number[row * columns + column + 1] += 1
    start = np.cumsum(number)
    place = start.copy()
    members = np.empty(start[-1], dtype=np.int32)
    for polygon in range(len(reach)):
        first, last, top, bottom = reach[polygon]
        for row in range(top, bottom + 1):
            for column in range(first, last + 1):
                square = row * columns + column
                members[place[square]] = polygon
                place[square] += 1
    return start, members


@njit(nogil=True, cache=True)
def _first_holders(
    x: Floats,
    y: Floats,
    square: Ints,
    start: Ints,
    members: NDArray[np.int32],
    vertices: Floats,
    ends_ring: NDArray[np.bool_],
    first_vertex: Ints,
) -> Ints:
    found = np.full(len(x), -1, dtype=np.int64)
    for point in range(len(x)):
        if square[point] < 0:
            continue
        for k in range(start[square[point]], start[square[point] + 1]):
            polygon = members[k]
            first, stop = first_vertex[polygon], first_vertex[polygon + 1]
            place = _place(x[point], y[point], vertices, ends_ring, first, stop)
            if place != _OUTSIDE:
                found[point] = polygon if place == _INSIDE else _UNDECIDED
                break
    return found


@njit(nogil=True, cache=True)
def _place(
    x: float, y: float, vertices: Floats, ends_ring: NDArray[np.bool_], first: int, stop: int
) -> int:
    """Count the edges that a ray to the right crosses; unsure on a border, or too near to one to tell."""
    inside = False
    for k in range(first, stop - 1):
        if ends_ring[k]:
            continue
        ax, ay, bx, by = vertices[k, 0], vertices[k, 1], vertices[k + 1, 0], vertices[k + 1, 1]
        if (ay > y) == (by > y):
            if (ay == y or by == y) and min(ax, bx) <= x <= max(ax, bx):
                return _UNSURE
            continue
        one, two = (bx - ax) * (y - ay), (by - ay) * (x - ax)
        if abs(one - two) <= _ROUNDING * (abs(one) + abs(two)):
            return _UNSURE
        if (one > two) == (by > ay):
            inside = not inside
    return _INSIDE if inside else _OUTSIDE
