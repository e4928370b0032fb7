"""For the search of the place on the H&E: a field of nuclei, and the H&E that shows them where a known map puts them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.measure import block_reduce

from sthelar_build.core.automatic import OVERVIEW_UM
from sthelar_build.core.drift import drawn_nuclei
from sthelar_build.core.nucleus_map import NucleusMap
from sthelar_build.core.outlines import Outlines
from sthelar_build.core.overview import Overview, overview_of
from sthelar_build.core.registration import Image, Window, resampled
from sthelar_build.core.stain import haematoxylin
from sthelar_build.schema.frames import Affine, Frame

STROMA, NUCLEUS = (225, 165, 200), (95, 60, 140)
WIDTH_UM, HEIGHT_UM = 420.0, 360.0
_APART_UM = 10.0
_N_GLANDS = 9
_N_TRIED = 6000
_MARGIN_UM = 20.0


def field(seed: int = 0) -> NDArray[Any]:
    """Return outlines in um of nuclei that do not overlap: dense in glands, sparse between them."""
    rng = np.random.default_rng(seed)
    extent_um = np.array([WIDTH_UM, HEIGHT_UM])
    glands_um = rng.uniform(0, 1, (_N_GLANDS, 2)) * extent_um
    tried_um = rng.uniform(0, 1, (_N_TRIED, 2)) * extent_um
    from_gland_um = np.linalg.norm(tried_um[:, None] - glands_um, axis=2).min(axis=1)
    likely = 0.015 + 0.6 * np.exp(-((from_gland_um / 30) ** 2))
    places_um: list[NDArray[np.float64]] = []
    for place_um in tried_um[rng.uniform(size=_N_TRIED) < likely]:
        if not places_um or np.linalg.norm(place_um - places_um, axis=1).min() > _APART_UM:
            places_um.append(place_um)
    return ellipses(np.array(places_um), rng.uniform(2.5, 5, (len(places_um), 3)))


def ellipses(points_um: NDArray[np.float64], sizes: NDArray[np.float64]) -> NDArray[Any]:
    """Return ellipses around points (n, 2); sizes (n, 3) are two half-axes in um and a turn."""
    disc = shapely.get_coordinates(shapely.Point(0, 0).buffer(1))
    rings = [
        disc * axes @ _turn(turn) + point_um
        for point_um, axes, turn in zip(points_um, sizes[:, :2], sizes[:, 2], strict=True)
    ]
    return np.asarray(shapely.polygons(rings))


def mapped(outlines_um: NDArray[Any]) -> NucleusMap:
    """Return the nuclei as the search takes them."""
    centroids_um = shapely.get_coordinates(shapely.centroid(outlines_um))
    return NucleusMap(Outlines.of(outlines_um), centroids_um, shapely.area(outlines_um))


def lying(turn_deg: float, *, mirrored: bool, um_per_px: float) -> tuple[Affine, tuple[int, int]]:
    """Return the map from um to H&E px of an image that holds the whole field, and its (h, w)."""
    linear = _turn(np.deg2rad(turn_deg)) / um_per_px
    linear[:, 0] *= -1 if mirrored else 1
    corners = np.array([[0, 0], [WIDTH_UM, 0], [WIDTH_UM, HEIGHT_UM], [0, HEIGHT_UM]]) @ linear.T
    margin_px = _MARGIN_UM / um_per_px
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = linear, margin_px - corners.min(axis=0)
    width, height = np.ceil(np.ptp(corners, axis=0) + 2 * margin_px).astype(int)
    return Affine(matrix, Frame.UM, Frame.HE), (int(height), int(width))


@dataclass(frozen=True, eq=False)
class PaintedHe:
    """An H&E in memory; a ``core.automatic.HeView``."""

    rgb: NDArray[np.uint8]

    def overview(self, um_per_px: float, around_um: float) -> Overview:
        step = max(1, round(OVERVIEW_UM / um_per_px))
        low = block_reduce(self.rgb, (step, step, 1), np.mean, cval=255).astype(np.uint8)
        size_um = step * um_per_px
        return overview_of(
            lambda start, stop: low[start:stop], low.shape[:2], (step, step), size_um, around_um
        )

    def haematoxylin(self, window: Window, um_to_he: Affine) -> Image:
        return resampled(self._stain, um_to_he.matrix @ window.to_um, window.shape, 0)

    @cached_property
    def _stain(self) -> Image:
        # Smoothed once for all windows: their pixels are up to twice as large.
        return np.asarray(gaussian_filter(haematoxylin(self.rgb), 0.7))


def painted(outlines_um: NDArray[Any], um_to_he: Affine, shape: tuple[int, int]) -> PaintedHe:
    """Return stroma (h, w) with the nuclei on it, each pixel a little off its colour."""
    he_px = um_to_he.apply_to_geometries(outlines_um)
    covered = drawn_nuclei(Outlines.of(he_px), Window(0, 0, 1, shape)) > 0
    rgb = np.where(covered[..., None], NUCLEUS, STROMA)
    rgb = rgb + np.random.default_rng(0).integers(-8, 9, (*shape, 1))
    return PaintedHe(rgb.astype(np.uint8))


def error_um(found: Affine, truth: Affine, points_um: NDArray[np.float64]) -> float:
    """Return by how much the worst of the points (n, 2) is misplaced."""
    seen_um = truth.inverse().apply(found.apply(points_um))
    return float(np.linalg.norm(seen_um - points_um, axis=1).max())


def _turn(angle: float) -> NDArray[np.float64]:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
