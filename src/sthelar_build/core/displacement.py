"""What a displacement of the masks does to their agreement, and which displacement an agreement is worth.

A Jaccard of 0.6 says nothing in um. Here the true masks of some patches are moved by known distances and compared again with the
same predictions: the fall of the metrics is the scale to read a Jaccard on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.agreement import Agreement, agreement

DISTANCES_UM = (0.5, 1.0, 2.0, 4.0, 8.0)
_AXES = ((0, 1), (1, 0), (0, -1), (-1, 0))
_DIAGONALS = ((1, 1), (1, -1), (-1, -1), (-1, 1))

Map = NDArray[Any]
Shift = tuple[int, int]


class MeanMetrics(NamedTuple):
    """Means over windows; NaN where no window has the metric."""

    dice: float
    jaccard: float
    bpq: float


class Displaced(NamedTuple):
    """The metrics at one distance."""

    distance_um: float
    """As asked for."""
    moved_um: float
    """Mean length of the moves, which are whole pixels."""
    metrics: MeanMetrics
    in_place: MeanMetrics
    """Of the same windows with the masks where they are: the bound."""
    n_windows: int
    """Windows with true nuclei in them; there are eight in a patch."""


class DisplacementCurve:
    """Gathers the metrics of displaced masks, patch by patch."""

    def __init__(self, um_per_px: float, distances_um: Sequence[float] = DISTANCES_UM) -> None:
        """Take the pixel size and the distances, ascending; 0 is always measured, over whole patches."""
        if not um_per_px > 0:
            raise ValueError(f"expected a pixel size above 0, got {um_per_px}")
        self._um_per_px = um_per_px
        self._distances_um = [0.0, *distances_um]
        if any(a >= b for a, b in pairwise(self._distances_um)):
            raise ValueError(f"expected ascending distances above 0, got {list(distances_um)}")
        self._shifts = [shifts(d / um_per_px) for d in self._distances_um]
        self._moved = [_Sums() for _ in self._distances_um]
        self._in_place = [_Sums() for _ in self._distances_um]
        self.n_patches = 0

    def add(self, true: Map, predicted: Map, foreground: Map | None = None) -> None:
        """Take one patch, maps as in `agreement`; one without true nuclei is passed over."""
        if not true.any():
            return
        self.n_patches += 1
        predicted_maps = [predicted] if foreground is None else [predicted, foreground]
        for k, moves in enumerate(self._shifts):
            for move in moves:
                window, source = _window(true.shape, move)
                fixed = [one[window] for one in predicted_maps]
                self._moved[k].add(agreement(true[source], *fixed))
                self._in_place[k].add(agreement(true[window], *fixed))

    def rows(self) -> list[Displaced]:
        """Return one row per distance, 0 first."""
        return [
            Displaced(
                distance_um,
                _mean_length(moves) * self._um_per_px,
                moved.means(),
                in_place.means(),
                moved.n,
            )
            for distance_um, moves, moved, in_place in zip(
                self._distances_um, self._shifts, self._moved, self._in_place, strict=True
            )
        ]


def shifts(distance_px: float) -> list[Shift]:
    """Return the moves (rows, columns) of one length, rounded to pixels: along four axes and four diagonals.

    >>> shifts(3)
    [(0, 3), (3, 0), (0, -3), (-3, 0), (2, 2), (2, -2), (-2, -2), (-2, 2)]
    """
    if not distance_px:
        return [(0, 0)]
    straight, slanted = (math.floor(distance_px / d + 0.5) for d in (1, math.sqrt(2)))
    return [(straight * y, straight * x) for y, x in _AXES] + [
        (slanted * y, slanted * x) for y, x in _DIAGONALS
    ]


def displacement_um(rows: Sequence[Displaced], metric: str, value: float) -> float | None:
    """Return the displacement at which the metric (a field of `MeanMetrics`) has fallen to a value.

    Between two distances on a straight line; where the metric rises with the distance, by chance, it counts as
    level. None above the value in place, below that of the farthest distance, and without any windows.
    """
    points = list(_falling(rows, metric))
    if points and value == points[0][1]:
        return points[0][0]
    for (near_um, high), (far_um, low) in pairwise(points):
        if low <= value < high:
            return near_um + (high - value) / (high - low) * (far_um - near_um)
    return None


def _falling(rows: Sequence[Displaced], metric: str) -> Iterator[tuple[float, float]]:
    """Yield the distance in um and the least value so far, of the distances with any."""
    lowest = math.inf
    for row in rows:
        value = float(getattr(row.metrics, metric))
        if not math.isnan(value):
            lowest = min(lowest, value)
            yield row.moved_um, lowest


def _mean_length(moves: list[Shift]) -> float:
    return sum(math.hypot(*move) for move in moves) / len(moves)


def _window(shape: tuple[int, ...], move: Shift) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return the window where the moved map lies over the other, and where in the map its content comes from."""
    spans = [
        (slice(max(0, d), max(0, n + min(0, d))), slice(max(0, -d), max(0, n - max(0, d))))
        for n, d in zip(shape, move, strict=True)
    ]
    return (spans[0][0], spans[1][0]), (spans[0][1], spans[1][1])


class _Sums:
    """Sums of metrics over windows with true nuclei, each without its undefined values."""

    def __init__(self) -> None:
        self.n = 0
        self._sums = np.zeros(len(MeanMetrics._fields))
        self._counts = np.zeros(len(MeanMetrics._fields), dtype=np.int64)

    def add(self, found: Agreement) -> None:
        if not found.n_true:
            return
        self.n += 1
        values = np.array([getattr(found, name) for name in MeanMetrics._fields])
        self._sums += np.nan_to_num(values)
        self._counts += ~np.isnan(values)

    def means(self) -> MeanMetrics:
        pairs = zip(self._sums.tolist(), self._counts.tolist(), strict=True)
        return MeanMetrics(*(total / n if n else math.nan for total, n in pairs))
