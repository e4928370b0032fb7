"""Nuclei as QuPath and others write them to GeoJSON: which outline of an object is a nucleus, and its shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from sthelar_build.core.polygons import Geometries, plain

NO_POLYGON = "no polygon"
NO_NUCLEUS = "cell without a nucleus"
DRAWN_AROUND = "annotation, tile or core around detections"
_DETECTIONS = ("detection", "cell")
_MIN_CORNERS = 3

Ring = NDArray[np.float64]


class NoOutlineError(ValueError):
    """Says what was found in place of a GeoJSON feature."""


def nucleus_outline(element: Any) -> tuple[Mapping[str, Any] | None, bool]:
    """Return the geometry that is the nucleus of an object, and whether the object is a detection.

    QuPath writes a cell with two geometries, of which ``nucleusGeometry`` is taken; the first of a cell is not its nucleus.
    None for a cell without a nucleus. NoOutlineError if it is no GeoJSON feature.
    """
    if not isinstance(element, Mapping) or not isinstance(element.get("geometry"), Mapping | None):
        raise NoOutlineError("no GeoJSON feature")
    properties = element.get("properties")
    kind = properties.get("objectType") if isinstance(properties, Mapping) else None
    nucleus = element.get("nucleusGeometry")
    if nucleus is not None and not isinstance(nucleus, Mapping):
        raise NoOutlineError("a nucleusGeometry that is no geometry")
    outline = nucleus if kind == "cell" or nucleus else element["geometry"]
    return outline, kind in _DETECTIONS


def polygon_rings(geometry: Mapping[str, Any] | None) -> list[list[Ring]]:
    """Return the rings of every part of a polygon or multipolygon, closed, the outer one first; none for another geometry.

    Rings with fewer than three corners are left out, with an outer one its holes. NoOutlineError for coordinates that are no
    pairs of finite numbers; a third coordinate is left out.
    """
    kind = geometry.get("type") if geometry else None
    coordinates = geometry.get("coordinates") if geometry else None
    if kind not in ("Polygon", "MultiPolygon"):
        return []
    if not isinstance(coordinates, list):
        raise NoOutlineError("an outline without coordinates")
    polygons = [coordinates] if kind == "Polygon" else coordinates
    parts = []
    for polygon in polygons:
        rings = (
            [_closed(ring) for ring in polygon] if isinstance(polygon, list) else [_closed(None)]
        )
        if rings and len(rings[0]) > _MIN_CORNERS:
            parts.append([ring for ring in rings if len(ring) > _MIN_CORNERS])
    return parts


def shapes_of(nuclei: Sequence[list[list[Ring]]]) -> Geometries:
    """Return a polygon or multipolygon, valid or not, for the parts of each; None where there are none."""
    shapes = np.full(len(nuclei), None, dtype=object)
    filled = [row for row, parts in enumerate(nuclei) if parts]
    if not filled:
        return shapes
    parts = [part for row in filled for part in nuclei[row]]
    rings = [ring for part in parts for ring in part]
    offsets = tuple(
        np.concatenate([[0], np.cumsum([len(member) for member in members])])
        for members in (rings, parts, [nuclei[row] for row in filled])
    )
    built = shapely.from_ragged_array(
        shapely.GeometryType.MULTIPOLYGON, np.concatenate(rings), offsets
    )
    shapes[filled] = plain(built)
    return shapes


def _closed(ring: Any) -> Ring:
    try:
        corners = np.asarray(ring, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise NoOutlineError("an outline whose coordinates are no numbers") from error
    if not corners.size:
        return np.empty((0, 2))
    if corners.ndim != 2 or corners.shape[1] < 2 or not np.isfinite(corners[:, :2]).all():
        raise NoOutlineError("an outline whose coordinates are no pairs of finite numbers")
    corners = corners[:, :2]
    if (corners[0] != corners[-1]).any():
        corners = np.concatenate([corners, corners[:1]])
    return np.asarray(corners)
