"""The H&E where a registration puts it, as the tiles see it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.registration import Image, Window
from sthelar_build.core.stain import tissue_mask
from sthelar_build.core.tissue import TissueMap
from sthelar_build.io.images.he import HeImage
from sthelar_build.io.images.um_windows import haematoxylin_window, is_on_he
from sthelar_build.schema.frames import PointMap

_UM_PER_PX = 8.0
_MIN_DENSITY = 0.05
_LIKELY_UM_PER_PX = (0.15, 1.2)
"""What a scanner makes; a wrong matrix must not decide how coarsely its own H&E is seen."""


@dataclass(frozen=True, eq=False)
class PlacedHe:
    """An open H&E and the map to it; a ``core.drift.StainedSection``."""

    image: HeImage
    um_to_he: PointMap
    tissue: TissueMap
    smoothing_um: float

    def covers(self, window: Window) -> bool:
        """Return whether the H&E covers the whole window."""
        return is_on_he(self.image, self.um_to_he, window)

    def on_tissue(self, points_um: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return whether the H&E shows tissue at points (n, 2)."""
        return self.tissue.at(self.um_to_he.apply(points_um))

    def haematoxylin(self, window: Window) -> Image:
        """Return the haematoxylin on the grid of the window."""
        return haematoxylin_window(self.image, self.um_to_he, window, self.smoothing_um)


def tissue_of(image: HeImage, implied_um_per_px: float) -> TissueMap:
    """Return where an H&E shows tissue, at about 8 um per pixel.

    The pixel size is the one that the file states, or else the one that the alignment implies.
    """
    um_per_px = float(np.clip(image.um_per_px or implied_um_per_px, *_LIKELY_UM_PER_PX))
    side_px = max(1, round(max(image.width_px, image.height_px) * um_per_px / _UM_PER_PX))
    mask = tissue_mask(image.thumbnail(side_px), _MIN_DENSITY)
    return TissueMap.around(mask, image.width_px, image.height_px)
