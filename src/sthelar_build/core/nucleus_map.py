"""The nuclei of a slide, drawn on any window at any resolution."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from sthelar_build.core.density import density
from sthelar_build.core.drift import drawn_nuclei
from sthelar_build.core.registration import Image, Window

Floats = NDArray[np.float64]

_COARSE_UM_PER_PX = 1.2
"""Pixels above this size do not show the shape of a nucleus: its area is put where its centroid is."""
_NUCLEUS_SIGMA_UM = 2.0
_LEAST_SIGMA_PX = 0.7


class NucleusMap:
    """Nuclei in um, with the trees that find those of a window."""

    def __init__(self, geometries_um: NDArray[Any], points_um: Floats, areas_um2: Floats) -> None:
        """Take polygons (n,), their centroids (n, 2), and their areas (n,)."""
        self.points_um, self.areas_um2 = points_um, areas_um2
        self._geometries = geometries_um
        self._by_outline = shapely.STRtree(geometries_um)
        self._by_point = shapely.STRtree(shapely.points(points_um))

    @property
    def bounds_um(self) -> Floats:
        """(2, 2): least and largest x, y of the centroids."""
        return np.stack([self.points_um.min(axis=0), self.points_um.max(axis=0)])

    @property
    def corners_um(self) -> Floats:
        """(4, 2) corners of the bounds."""
        (left, top), (right, bottom) = self.bounds_um
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])

    def inside(self, window: Window) -> Floats:
        """Return the centroids (n, 2) in a window, in the order of the nuclei."""
        return np.asarray(self.points_um[self._near(self._by_point, window)])

    def around(self, centre_um: Floats, radius_um: float) -> NDArray[np.int64]:
        """Return the rows of the nuclei with their centroid within a distance of a point."""
        disc = shapely.Point(centre_um)
        return np.sort(self._by_point.query(disc, predicate="dwithin", distance=radius_um))

    def part(self, rows: NDArray[np.int64]) -> NucleusMap:
        """Return a map of some of the nuclei."""
        return NucleusMap(self._geometries[rows], self.points_um[rows], self.areas_um2[rows])

    def drawn(self, window: Window) -> Image:
        """Return the window's share of nucleus: sharp outlines on fine pixels, soft spots on coarse ones."""
        if window.um_per_px <= _COARSE_UM_PER_PX:
            return drawn_nuclei(self._geometries[self._near(self._by_outline, window)], window)
        near = self._near(self._by_point, window)
        points_px = (self.points_um[near] - [window.left_um, window.top_um]) / window.um_per_px
        spots = density(points_px, self.areas_um2[near], window.shape)
        sigma_px = max(_LEAST_SIGMA_PX, _NUCLEUS_SIGMA_UM / window.um_per_px)
        return np.asarray(gaussian_filter(spots, sigma_px, mode="constant"))

    @staticmethod
    def _near(tree: shapely.STRtree, window: Window) -> NDArray[np.int64]:
        # In the order of the nuclei: sums of floats depend on it, and trees promise none.
        return np.sort(tree.query(shapely.Polygon(window.corners_um)))
