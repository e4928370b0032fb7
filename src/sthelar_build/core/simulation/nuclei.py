"""Outlines of nuclei: size, elongation and irregularity by cell type, as plain polygons."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from sthelar_build.core.simulation.structures import Points

Shapes = NDArray[np.object_]
VERTICES = 28
"""Vertices of a nucleus: what a Xenium bundle keeps, so that the bundle loses nothing."""
_HARMONICS = (2, 3, 4, 5)
_SHRINK = 0.93
_ROUNDS = 14


def outline_vertices(
    rng: np.random.Generator,
    centres_um: Points,
    radius_um: NDArray[np.float64],
    aspect: NDArray[np.float64],
    angle: NDArray[np.float64],
    irregularity: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the vertices (n, 28, 2) of star-shaped outlines around ``centres_um`` (n, 2).

    Each is an ellipse with half-axes ``radius * sqrt(aspect)`` along ``angle`` and
    ``radius / sqrt(aspect)`` across it, whose radius is then modulated by low harmonics of relative
    deviation ``irregularity``.
    """
    n = len(centres_um)
    theta = np.linspace(0, 2 * np.pi, VERTICES, endpoint=False)
    waver = np.ones((n, VERTICES))
    for k in _HARMONICS:
        amplitude = rng.normal(0, 1, n) * irregularity * np.sqrt(2 / k)
        waver += amplitude[:, None] * np.cos(k * theta + rng.uniform(0, 2 * np.pi, n)[:, None])
    waver = np.clip(waver, 0.6, 1.5)
    long = (radius_um * np.sqrt(aspect))[:, None] * np.cos(theta) * waver
    across = (radius_um / np.sqrt(aspect))[:, None] * np.sin(theta) * waver
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    turned = np.stack([long * cos - across * sin, long * sin + across * cos], axis=-1)
    return centres_um[:, None, :] + turned


def polygons(vertices: NDArray[np.float64]) -> Shapes:
    """Return polygons of vertices (n, v, 2), rounded to float32 so that parquet keeps them exactly."""
    return np.asarray(shapely.polygons(as_stored(vertices)), dtype=object)


def as_stored(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round coordinates to float32, the precision of a bundle's boundary tables."""
    return coordinates.astype(np.float32).astype(np.float64)


def separated(
    rng: np.random.Generator, vertices: NDArray[np.float64], overlapping_share: float
) -> NDArray[np.float64]:
    """Shrink nuclei about their centres until neighbours no longer overlap.

    A share of the nuclei is exempt, so that a few overlaps remain, as in thick sections.
    """
    vertices = vertices.copy()
    exempt = rng.random(len(vertices)) < overlapping_share
    for _ in range(_ROUNDS):
        shapes = polygons(vertices)
        first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
        pair = (first < second) & ~exempt[first] & ~exempt[second]
        clash = np.unique(np.concatenate([first[pair], second[pair]]))
        if not len(clash):
            break
        centre = vertices[clash].mean(axis=1, keepdims=True)
        vertices[clash] = centre + _SHRINK * (vertices[clash] - centre)
    return vertices


def with_hole(rng: np.random.Generator, nucleus: shapely.Polygon) -> shapely.Polygon:
    """Return the nucleus with an eight-sided hole of a third of its width, a vacuole."""
    centre = np.asarray(nucleus.centroid.coords[0])
    reach = np.hypot(*(np.asarray(nucleus.exterior.coords) - centre).T).min()
    theta = np.linspace(0, 2 * np.pi, 8, endpoint=False) + rng.uniform(0, 1)
    hole = as_stored(centre + 0.45 * reach * np.stack([np.cos(theta), np.sin(theta)], axis=1))
    return shapely.Polygon(nucleus.exterior, [hole])


def keyhole_ring(nucleus: shapely.Polygon) -> Points:
    """Return one closed ring (n, 2) around a polygon with a hole: in along a cut, round the hole, and back."""
    outer = np.asarray(shapely.Polygon(nucleus.exterior).normalize().exterior.coords)
    inner = np.asarray(shapely.Polygon(nucleus.interiors[0]).normalize().exterior.coords)
    start = int(np.argmin(np.hypot(*(inner - outer[0]).T)))
    hole = np.concatenate([inner[start:-1], inner[:start], inner[start : start + 1]])
    return np.concatenate([outer, hole[::-1], outer[:1]])


def bow_tie_ring(rng: np.random.Generator, nucleus: shapely.Polygon) -> Points:
    """Return the closed ring (n, 2) of a nucleus with two neighbouring vertices swapped: it crosses itself."""
    ring = np.asarray(nucleus.exterior.coords).copy()
    first = int(rng.integers(1, len(ring) - 3))
    ring[[first, first + 1]] = ring[[first + 1, first]]
    return ring
