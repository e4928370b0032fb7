"""Polygons from vertex rings, and repair of invalid ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Geometries = NDArray[np.object_]
"""Array of shapely geometries, or None where there is none."""

_MIN_VERTICES = 3


def polygons_from_rings(
    vertices_xy: NDArray[np.floating[Any]], lengths: NDArray[np.int64]
) -> Geometries:
    """Build one polygon per ring of vertices.

    Parameters
    ----------
    vertices_xy
        (v, 2) vertices of all rings, one ring after the other.
    lengths
        (n,) number of vertices of every ring; they sum to v.

    Returns
    -------
    (n,) polygons as they are, valid or not. A ring may come closed or open. None where a ring has
    fewer than three vertices beside the closing one.
    """
    polygons = np.full(len(lengths), None, dtype=object)
    last = np.cumsum(lengths) - 1
    first = last - lengths + 1
    filled = np.flatnonzero(lengths > 0)
    is_open = np.zeros(len(lengths), dtype=bool)
    is_open[filled] = np.any(vertices_xy[first[filled]] != vertices_xy[last[filled]], axis=1)
    usable = lengths + is_open > _MIN_VERTICES
    if not usable.any():
        return polygons
    kept_xy = vertices_xy if usable.all() else vertices_xy[np.repeat(usable, lengths)]
    closed_xy, offsets = _closed(kept_xy, lengths[usable], is_open[usable])
    polygons[usable] = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON, closed_xy, (offsets, np.arange(len(offsets)))
    )
    return polygons


def repair(geometries: Geometries) -> tuple[Geometries, NDArray[np.bool_]]:
    """Make every geometry valid, and polygonal.

    Returns
    -------
    (n,) valid polygons and multipolygons, None where nothing with an area is left (or was given);
    and (n,) whether the geometry was invalid. A bow-tie becomes its two triangles, a ring that
    runs along itself into a hole becomes a polygon with that hole; lines and points are dropped.
    """
    repaired = np.array(geometries, dtype=object)
    invalid = ~shapely.is_missing(repaired) & ~shapely.is_valid(repaired)
    repaired[invalid] = _polygonal_parts(shapely.make_valid(repaired[invalid]))
    repaired[~(shapely.area(repaired) > 0)] = None
    return repaired, invalid


def unite(rows: NDArray[np.int64], parts: Geometries, n: int) -> Geometries:
    """Gather geometries by row: (n,) the one of each row, the union of several, None for none."""
    united = np.full(n, None, dtype=object)
    order = np.argsort(rows, kind="stable")
    found, first = np.unique(rows[order], return_index=True)
    united[found] = parts[order[first]]
    number = np.diff(np.append(first, len(rows)))
    several = number > 1
    for row, start, count in zip(found[several], first[several], number[several], strict=True):
        members, _ = repair(parts[order[start : start + count]])
        united[row] = shapely.union_all(members)
    return united


def gathered(parts: Geometries, group: NDArray[np.int64]) -> Geometries:
    """Return one geometry per group of polygons, whose numbers ascend from 0: a polygon, or a multipolygon of several."""
    return plain(shapely.multipolygons(parts, indices=group))


def plain(multipolygons: Geometries) -> Geometries:
    """Return multipolygons of one part as polygons, the others as they are."""
    simplest = np.array(multipolygons, dtype=object)
    single = shapely.get_num_geometries(simplest) == 1
    simplest[single] = shapely.get_geometry(simplest[single], 0)
    return simplest


def _closed(
    vertices_xy: NDArray[np.floating[Any]],
    lengths: NDArray[np.int64],
    is_open: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Repeat the first vertex at the end of open rings; also return the offsets of the rings."""
    ends = np.cumsum(lengths)
    starts = ends - lengths
    closed = vertices_xy.astype(np.float64)
    if is_open.any():
        closed = np.insert(closed, ends[is_open], vertices_xy[starts[is_open]], axis=0)
    return closed, np.concatenate([[0], np.cumsum(lengths + is_open)])


def _polygonal_parts(geometries: Geometries) -> Geometries:
    """Keep the polygons of every geometry; None where it has none."""
    members, owner = shapely.get_parts(geometries, return_index=True)
    parts, member = shapely.get_parts(members, return_index=True)
    owner = owner[member]
    with_area = shapely.area(parts) > 0
    parts, owner = parts[with_area], owner[with_area]
    polygonal = np.full(len(geometries), None, dtype=object)
    if len(parts):
        filled, group = np.unique(owner, return_inverse=True)
        polygonal[filled] = gathered(parts, group)
    return polygonal
