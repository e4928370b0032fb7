"""Polygons to pixels: which nucleus owns which pixel of a map.

A pixel belongs to a polygon when its centre does; a centre on an edge belongs to the polygon right of
or below that edge, so that polygons that share an edge share no pixel and leave none out.
"""

# mypy: allow-untyped-decorators

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numba import njit
from numpy.typing import ArrayLike, NDArray

from sthelar_build.core.outlines import Outlines, ranges

Ints = NDArray[np.int64]
Map = NDArray[np.uint32]
_AREA_DIGITS = 6
"""Areas are compared to this many significant digits: congruent nuclei are ties wherever they lie."""


@dataclass(frozen=True)
class Spans:
    """Runs of pixels of polygons, sorted by polygon and row: columns ``first`` to ``stop - 1``."""

    polygon: Ints
    row: Ints
    first: Ints
    stop: Ints

    def where(self, kept: NDArray[np.bool_]) -> Spans:
        """Return the spans for which ``kept`` is true."""
        return Spans(self.polygon[kept], self.row[kept], self.first[kept], self.stop[kept])

    def window(self, left: int, width: int) -> Spans:
        """Return what lies in the columns ``left`` to ``left + width - 1``, counted from ``left``."""
        first = np.maximum(self.first - left, 0)
        stop = np.minimum(self.stop - left, width)
        return Spans(self.polygon, self.row, first, stop).where(stop > first)


def scan(outlines: Outlines, top: int, left: int, shape: tuple[int, int]) -> Spans:
    """Return the pixels of a window that polygons cover, by the even-odd rule along every row of centres.

    Rows and columns of the result count from the window's corner (``top``, ``left``).
    """
    height, width = shape
    begins = np.flatnonzero(~outlines.ends_ring)
    polygon = np.repeat(np.arange(len(outlines)), np.diff(outlines.start))[begins]
    one, two = outlines.vertices[begins], outlines.vertices[begins + 1]
    # Upwards or downwards, an edge is cut at the same place: neighbours share it without a gap.
    down = (one[:, 1] <= two[:, 1])[:, None]
    upper, lower = np.where(down, one, two), np.where(down, two, one)
    first_row = np.clip(np.ceil(upper[:, 1] - 0.5).astype(np.int64), top, top + height)
    stop_row = np.clip(np.ceil(lower[:, 1] - 0.5).astype(np.int64), top, top + height)
    n_rows = stop_row - first_row
    edge = np.repeat(np.arange(len(begins)), n_rows)
    row = ranges(first_row, n_rows)
    slope = np.divide(
        lower[:, 0] - upper[:, 0],
        lower[:, 1] - upper[:, 1],
        out=np.zeros(len(begins)),
        where=n_rows > 0,
    )
    x = upper[edge, 0] + (row + 0.5 - upper[edge, 1]) * slope[edge]
    column = np.clip(np.ceil(x - 0.5).astype(np.int64) - left, 0, width)
    # One integer holds polygon, row and column, so one sort pairs every entry with its exit.
    crossings = np.sort((polygon[edge] * height + row - top) * (width + 1) + column)
    entry, exit_ = crossings[0::2], crossings[1::2]
    place, first = np.divmod(entry, width + 1)
    spans = Spans(place // height, place % height, first, exit_ % (width + 1))
    return spans.where(spans.stop > spans.first)


def paint(spans: Spans, shape: tuple[int, int]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Draw spans; where polygons overlap, the one with the highest number keeps the pixel.

    Returns
    -------
    Array of ``shape`` with polygon number + 1, 0 for background; and one that is true where more than one
    polygon covers the pixel.
    """
    canvas, shared = np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.bool_)
    _paint(spans.polygon, spans.row, spans.first, spans.stop, canvas, shared)
    return canvas, shared


@njit(nogil=True, cache=True)
def _paint(
    polygon: Ints,
    row: Ints,
    first: Ints,
    stop: Ints,
    canvas: NDArray[np.int32],
    shared: NDArray[np.bool_],
) -> None:
    for span in range(len(polygon)):
        value, y = np.int32(polygon[span] + 1), row[span]
        for x in range(first[span], stop[span]):
            before = canvas[y, x]
            shared[y, x] |= before != 0
            canvas[y, x] = max(before, value)


def draw_order(areas: ArrayLike, ids: ArrayLike) -> Ints:
    """Return the order in which polygons are drawn: large before small, high id before low id.

    What is drawn later covers what was drawn before: the smaller keeps a shared pixel, and among
    equals the one with the lower id.
    """
    area, number = np.asarray(areas, dtype=np.float64), np.asarray(ids, dtype=np.int64)
    digits = _AREA_DIGITS - 1 - np.floor(np.log10(np.maximum(area, np.finfo(float).tiny)))
    rounded = np.rint(area * 10.0**digits) / 10.0**digits
    order = np.lexsort((-number, -rounded))
    return np.asarray(order, dtype=np.int64)


def instance_map(
    geometries: Sequence[Any] | NDArray[Any],
    ids: ArrayLike,
    shape: tuple[int, int],
    min_visible_px: int = 0,
) -> Map:
    """Draw nuclei into a map of instances.

    Parameters
    ----------
    geometries
        Valid polygons and multipolygons in (x, y) pixels of the map; they may reach beyond it. Pixel
        (row r, column c) has its centre at (c + 0.5, r + 0.5).
    ids
        The value of each nucleus, from 1; uint32.
    shape
        Rows and columns of the map.
    min_visible_px
        Nuclei that keep fewer pixels are removed, and the map is drawn again without them.

    Returns
    -------
    Array of ``shape``, uint32: 0 for background, else the id. Holes stay background, all parts are
    drawn. Where nuclei overlap, the one of smaller area keeps the pixel; of equal ones that with the lower id.
    """
    geometries = np.asarray(geometries, dtype=object)
    number = np.asarray(ids, dtype=np.uint32)
    order = draw_order(shapely.area(geometries), number)
    spans = scan(Outlines.of(geometries[order]), 0, 0, shape)
    canvas, _ = paint(spans, shape)
    visible = np.bincount(canvas.ravel(), minlength=len(order) + 1)[1:]
    slivers = visible < min_visible_px
    if slivers.any():
        canvas, _ = paint(spans.where(~slivers[spans.polygon]), shape)
    return np.concatenate([np.zeros(1, np.uint32), number[order]])[canvas]
