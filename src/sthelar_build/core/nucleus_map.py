"""The nuclei of a slide, drawn on any window at any resolution."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from sthelar_build.core.box_index import BoxIndex
from sthelar_build.core.density import density
from sthelar_build.core.drift import drawn_nuclei
from sthelar_build.core.outlines import Outlines
from sthelar_build.core.registration import Image, Window

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

_COARSE_UM_PER_PX = 1.2
"""Pixels above this size do not show the shape of a nucleus: its area is put where its centroid is."""
_NUCLEUS_SIGMA_UM = 2.0
_LEAST_SIGMA_PX = 0.7


class NucleusMap:
    """Nuclei in um, as flat arrays: of a million of them, shapely's objects take three times the memory."""

    def __init__(
        self, outlines_um: Outlines, points_um: Floats, areas_um2: Floats, rows: Rows | None = None
    ) -> None:
        """Take centroids (n, 2), areas (n,), and their outlines: all (n), or the ``rows`` (n,) of these."""
        self.points_um, self.areas_um2 = points_um, areas_um2
        self._outlines_um = outlines_um
        self._rows = np.arange(len(points_um)) if rows is None else rows

    def __len__(self) -> int:
        return len(self.points_um)

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
        return np.asarray(self.points_um[self._by_point.touching(_box(window))])

    def around(self, centre_um: Floats, radius_um: float) -> Rows:
        """Return the rows of the nuclei with their centroid within a distance of a point."""
        box = np.concatenate([centre_um - radius_um, centre_um + radius_um])
        near = self._by_point.touching(box)
        away_um = np.hypot(*(self.points_um[near] - centre_um).T)
        return np.asarray(near[away_um <= radius_um])

    def part(self, rows: Rows) -> NucleusMap:
        """Return a map of some of the nuclei; their outlines are not copied."""
        chosen = self.points_um[rows], self.areas_um2[rows], self._rows[rows]
        return NucleusMap(self._outlines_um, *chosen)

    def outlines(self, window: Window | None = None) -> Outlines:
        """Return the outlines of all nuclei, or of those that reach into a window, in their order."""
        rows = self._rows if window is None else self._rows[self._by_box.touching(_box(window))]
        return self._outlines_um.take(rows)

    def drawn(self, window: Window) -> Image:
        """Return the window's share of nucleus: sharp outlines on fine pixels, soft spots on coarse ones."""
        if window.um_per_px <= _COARSE_UM_PER_PX:
            return drawn_nuclei(self.outlines(window), window)
        near = self._by_point.touching(_box(window))
        points_px = (self.points_um[near] - [window.left_um, window.top_um]) / window.um_per_px
        spots = density(points_px, self.areas_um2[near], window.shape)
        sigma_px = max(_LEAST_SIGMA_PX, _NUCLEUS_SIGMA_UM / window.um_per_px)
        return np.asarray(gaussian_filter(spots, sigma_px, mode="constant"))

    @cached_property
    def _by_point(self) -> BoxIndex:
        return BoxIndex(np.hstack([self.points_um, self.points_um]))

    @cached_property
    def _by_box(self) -> BoxIndex:
        return BoxIndex(self._outlines_um.boxes()[self._rows])


def _box(window: Window) -> Floats:
    return window.corners_um[[0, 2]].ravel()
