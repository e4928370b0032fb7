"""The H&E as the search for its place sees it: low-resolution overviews, and windows under any map."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from sthelar_build.core.automatic import OVERVIEW_UM
from sthelar_build.core.overview import Overview, overview_of
from sthelar_build.core.registration import Image, Window
from sthelar_build.io.images.he import HeImage
from sthelar_build.io.images.um_windows import haematoxylin_window
from sthelar_build.schema.frames import PointMap

_MAX_OVERVIEW_PX = 64_000_000
"""Larger slides are seen a little more coarsely: the overview stays in memory."""
_KEPT = 2


class SearchView:
    """An open H&E; a ``core.automatic.HeView``."""

    def __init__(self, image: HeImage, smoothing_um: float) -> None:
        """Take an image, and the standard deviation of the Gaussian on its windows in um."""
        self._image, self._smoothing_um = image, smoothing_um
        self._kept: Any = lru_cache(_KEPT)(self._overview)

    def overview(self, um_per_px: float, around_um: float) -> Overview:
        """Return the nuclei of the whole image at about 2 um per px, if level 0 has this pixel size."""
        found: Overview = self._kept(um_per_px, around_um)
        return found

    def haematoxylin(self, window: Window, um_to_he: PointMap) -> Image:
        """Return the haematoxylin on a window."""
        return haematoxylin_window(self._image, um_to_he, window, self._smoothing_um)

    def _overview(self, um_per_px: float, around_um: float) -> Overview:
        width, height = self._image.width_px, self._image.height_px
        factor = max(1.0, OVERVIEW_UM / um_per_px, np.sqrt(width * height / _MAX_OVERVIEW_PX))
        rgb = self._image.thumbnail(max(1, round(max(width, height) / factor)))
        rows, columns = rgb.shape[:2]
        step_px = (width / columns, height / rows)
        return overview_of(
            lambda start, stop: rgb[start:stop],
            (rows, columns),
            step_px,
            um_per_px * step_px[0],
            around_um,
        )
