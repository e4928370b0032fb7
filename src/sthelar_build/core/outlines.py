"""Polygons as flat arrays: of a million of them, shapely's objects take three times the memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Outlines:
    """Polygons with holes and parts as flat arrays, so that thousands are handled in one go."""

    vertices: NDArray[np.float64]
    """(v, 2), x first; rings are closed and follow each other, polygon by polygon."""
    ends_ring: NDArray[np.bool_]
    """(v,) whether a vertex is the last of its ring."""
    start: Ints
    """(n + 1,) number of the first vertex of each polygon."""

    def __len__(self) -> int:
        return len(self.start) - 1

    @classmethod
    def of(cls, geometries: Sequence[Any] | NDArray[Any]) -> Outlines:
        """Take apart valid polygons and multipolygons."""
        geometries = np.asarray(geometries, dtype=object)
        parts, polygon_of_part = shapely.get_parts(geometries, return_index=True)
        rings, part_of_ring = shapely.get_rings(parts, return_index=True)
        vertices, ring = shapely.get_coordinates(rings, return_index=True)
        ends_ring = np.append(ring[1:] != ring[:-1], True)[: len(ring)]
        polygon = polygon_of_part[part_of_ring[ring]]
        return cls(vertices, ends_ring, np.searchsorted(polygon, np.arange(len(geometries) + 1)))

    @classmethod
    def joined(cls, parts: Iterable[Outlines]) -> Outlines:
        """Return the polygons of all parts, one part after the other.

        Parts are taken one by one: the whole grows in place, and never stands in memory twice.
        """
        vertices, ends_ring = np.empty((0, 2)), np.empty(0, np.bool_)
        starts = [np.zeros(1, np.int64)]
        for part in parts:
            old, new = len(vertices), len(vertices) + len(part.vertices)
            vertices.resize((new, 2), refcheck=False)
            ends_ring.resize(new, refcheck=False)
            vertices[old:], ends_ring[old:] = part.vertices, part.ends_ring
            starts.append(part.start[1:] + old)
        return cls(vertices, ends_ring, np.concatenate(starts))

    def take(self, polygons: Ints) -> Outlines:
        """Return some of the polygons, in the order given."""
        size = self.start[polygons + 1] - self.start[polygons]
        start = np.concatenate([[0], np.cumsum(size)])
        vertex = ranges(self.start[polygons], size)
        return Outlines(self.vertices[vertex], self.ends_ring[vertex], start)

    def boxes(self) -> NDArray[np.float64]:
        """Return least x, least y, largest x, largest y of every polygon (n, 4); NaN for an empty one."""
        found = np.full((len(self), 4), np.nan)
        filled = np.flatnonzero(np.diff(self.start))
        if len(filled):
            begins = self.start[filled]
            found[filled, :2] = np.minimum.reduceat(self.vertices, begins)
            found[filled, 2:] = np.maximum.reduceat(self.vertices, begins)
        return found

    def rings(self) -> list[NDArray[np.float64]]:
        """Return every ring as its vertices (v, 2), the first of them again at its end."""
        return np.split(self.vertices, np.flatnonzero(self.ends_ring) + 1)[:-1]


def ranges(start: Ints, length: Ints) -> Ints:
    """Return start[0], start[0] + 1, ... (length[0] numbers), start[1], ... in one array."""
    begin = np.cumsum(length) - length
    return np.repeat(start - begin, length) + np.arange(int(length.sum()))
