"""Cell outlines as the instrument draws them: nuclei grown by 5 um until they meet their neighbours."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from sthelar_build.core.simulation.nuclei import Shapes, as_stored
from sthelar_build.core.simulation.structures import Points

EXPANSION_UM = 5.0
_DIRECTIONS = 24
_NEIGHBOURS = 14


def grown_outlines(
    centres_um: Points, radius_um: NDArray[np.float64], reach_um: NDArray[np.float64]
) -> Shapes:
    """Return star-shaped cells around ``centres_um`` (n, 2) that do not overlap.

    Along each of 24 directions a cell ends ``reach_um[i]`` from its centre, or where it meets its
    region of the power diagram (Voronoi, with circles of ``radius_um`` instead of points). Power
    regions are convex and disjoint, hence the outlines are disjoint.
    """
    n = len(centres_um)
    theta = np.linspace(0, 2 * np.pi, _DIRECTIONS, endpoint=False)
    rays = np.stack([np.cos(theta), np.sin(theta)])
    reach = np.repeat(reach_um[:, None], _DIRECTIONS, axis=1)
    if n > 1:
        distance, other = cKDTree(centres_um).query(centres_um, k=min(_NEIGHBOURS, n))
        for k in range(1, other.shape[1]):
            apart = np.maximum(distance[:, k], 1e-6)
            towards = (centres_um[other[:, k]] - centres_um) / apart[:, None]
            border = (apart**2 + radius_um**2 - radius_um[other[:, k]] ** 2) / (2 * apart)
            facing = towards @ rays
            with np.errstate(divide="ignore"):
                limit = np.where(facing > 1e-6, np.maximum(border, 0.3)[:, None] / facing, np.inf)
            reach = np.minimum(reach, limit)
    vertices = centres_um[:, None, :] + reach[..., None] * rays.T[None]
    return np.asarray(shapely.polygons(vertices), dtype=object)


def around_nuclei(outlines: Shapes, nuclei: Shapes, owner: NDArray[np.int64]) -> Shapes:
    """Return the outlines, each joined with its own nuclei and cut where another cell's nucleus lies.

    ``owner[i]`` is the cell of ``nuclei[i]``. What is cut into pieces keeps its largest piece; holes
    are filled. Coordinates are rounded to float32.
    """
    cells = outlines.copy()
    for turn in range(2):
        order = np.flatnonzero(_occurrence(owner) == turn)
        cells[owner[order]] = shapely.union(cells[owner[order]], nuclei[order])
    nucleus, cell = shapely.STRtree(cells).query(nuclei, predicate="intersects")
    foreign = owner[nucleus] != cell
    for i, j in zip(nucleus[foreign], cell[foreign], strict=True):
        cells[j] = shapely.difference(cells[j], nuclei[i])
    return np.array([_plain(cell) for cell in cells], dtype=object)


def _occurrence(owner: NDArray[np.int64]) -> NDArray[np.int64]:
    order = np.argsort(owner, kind="stable")
    ranked = owner[order]
    start = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    count = np.arange(len(owner)) - np.repeat(start, np.diff(np.r_[start, len(owner)]))
    result = np.empty(len(owner), dtype=np.int64)
    result[order] = count
    return result


def _plain(cell: shapely.Geometry) -> shapely.Polygon:
    parts = [part for part in shapely.get_parts(cell) if part.geom_type == "Polygon"]
    largest = max(parts, key=lambda part: part.area)
    plain = shapely.Polygon(as_stored(np.asarray(largest.exterior.coords)))
    if plain.is_valid:
        return plain
    repaired = [p for p in shapely.get_parts(plain.buffer(0)) if p.geom_type == "Polygon"]
    largest = max(repaired, key=lambda part: part.area)
    return shapely.Polygon(as_stored(np.asarray(largest.exterior.coords)))
