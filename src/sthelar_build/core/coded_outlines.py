"""Outlines of nuclei in few bytes, for drawing: corners as small whole steps from the centre."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

STEPS_PER_PX = 4
"""The finest step is a quarter of a pixel; large nuclei take coarser ones."""

_MANY_CORNERS = 40
_MOST_CORNERS = 255
_TOLERANCE_PX = 0.25
_FARTHEST = 127
_COARSEST = 255


@dataclass(frozen=True)
class CodedOutlines:
    """Outlines around their centres."""

    n_corners: NDArray[np.uint8]
    """(n,) corners of each, the first not repeated at the end."""
    coarseness: NDArray[np.uint8]
    """(n,) length of a step of each, in quarters of a pixel."""
    steps: NDArray[np.int8]
    """(all corners, 2) steps from the centre, x first."""

    @property
    def start(self) -> NDArray[np.int64]:
        """(n + 1,) number of the first corner of each."""
        return np.concatenate([[0], np.cumsum(self.n_corners, dtype=np.int64)])

    def take(self, rows: NDArray[np.int64]) -> CodedOutlines:
        """Return some of them, in the order given."""
        start, n = self.start, self.n_corners[rows].astype(np.int64)
        first = np.repeat(start[rows] - np.concatenate([[0], np.cumsum(n)[:-1]]), n)
        corners = first + np.arange(len(first))
        return CodedOutlines(self.n_corners[rows], self.coarseness[rows], self.steps[corners])

    @classmethod
    def joined(cls, parts: Iterable[CodedOutlines]) -> CodedOutlines:
        """Return the outlines of all parts, one part after the other."""
        none = cls(np.empty(0, np.uint8), np.empty(0, np.uint8), np.empty((0, 2), np.int8))
        known = [none, *parts]
        return cls(
            np.concatenate([part.n_corners for part in known]),
            np.concatenate([part.coarseness for part in known]),
            np.concatenate([part.steps for part in known]),
        )


def coded_outlines(geometries_px: NDArray[Any], centres_px: NDArray[np.float64]) -> CodedOutlines:
    """Code polygons.

    Parameters
    ----------
    geometries_px
        (n,) polygons or multipolygons in pixels; None is an outline without corners.
    centres_px
        (n, 2) where each is drawn from, x first.

    Returns
    -------
    The outer ring of the largest part of each, to a quarter of a pixel; what is more than 31 px from its centre is
    coarser by as much. Rings of many corners are simplified by a quarter of a pixel.
    """
    rings = _simple(_outer_rings(np.asarray(geometries_px, dtype=object)))
    corners, owner = shapely.get_coordinates(rings, return_index=True)
    kept, place = _few(owner, len(rings))
    offsets = (corners[kept] - centres_px[owner[kept]]) * STEPS_PER_PX
    far = np.zeros(len(rings))
    np.maximum.at(far, owner[kept], np.abs(offsets).max(axis=1, initial=0))
    coarseness = np.clip(np.ceil(far / _FARTHEST), 1, _COARSEST)
    steps = np.rint(offsets / coarseness[owner[kept], None])
    return CodedOutlines(
        n_corners=place.astype(np.uint8),
        coarseness=coarseness.astype(np.uint8),
        steps=np.clip(steps, -_FARTHEST, _FARTHEST).astype(np.int8),
    )


def _outer_rings(geometries: NDArray[Any]) -> NDArray[Any]:
    parts, owner = shapely.get_parts(geometries, return_index=True)
    largest_last = np.lexsort((shapely.area(parts), owner))
    rings = np.full(len(geometries), None, dtype=object)
    rings[owner[largest_last]] = shapely.get_exterior_ring(parts[largest_last])
    return rings


def _simple(rings: NDArray[Any]) -> NDArray[Any]:
    many = shapely.get_num_coordinates(rings) > _MANY_CORNERS
    simple = rings.copy()
    simple[many] = shapely.simplify(rings[many], _TOLERANCE_PX)
    return simple


def _few(owner: NDArray[np.int64], n: int) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return which corners are kept (not the closing one, and no more than a byte counts), and how many of each ring."""
    size = np.bincount(owner, minlength=n)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(size) - size, size)
    stride = np.maximum(1, -(-(size - 1) // _MOST_CORNERS))
    kept = (number < size[owner] - 1) & (number % stride[owner] == 0)
    return kept, np.bincount(owner[kept], minlength=n)
