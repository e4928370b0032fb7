"""A window of the H&E in memory, from which squares at any scale are cut."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.resample import area_average


@dataclass(frozen=True, eq=False)
class HeWindow:
    """Pixels of level 0."""

    pixels: NDArray[np.uint8]
    """RGB (y, x, 3)."""
    left_px: int
    top_px: int

    def area(
        self, x_he_px: float, y_he_px: float, side_he_px: float, side_px: int
    ) -> NDArray[np.uint8]:
        """Return a square of level 0 as (side_px, side_px, 3), every pixel the mean of the area it covers.

        The square must lie inside. A downsample of 1 is the image itself, 2 the mean of 2 x 2 pixels, halves
        rounded up.
        """
        left, top, right, bottom = touched(x_he_px, y_he_px, side_he_px, side_he_px)
        part = self.pixels[
            top - self.top_px : bottom - self.top_px, left - self.left_px : right - self.left_px
        ]
        step = side_he_px / side_px
        return area_average(part, (x_he_px - left, y_he_px - top), (step, step), (side_px, side_px))


def touched(
    x_px: float, y_px: float, width_px: float, height_px: float
) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the whole pixels that a rectangle touches.

    >>> touched(0.5, 2.0, 3.0, 4.0)
    (0, 2, 4, 6)
    """
    return (
        math.floor(x_px),
        math.floor(y_px),
        math.ceil(x_px + width_px),
        math.ceil(y_px + height_px),
    )
