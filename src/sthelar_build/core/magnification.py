"""The magnification that a pixel size stands for."""

from __future__ import annotations

import math

UM_PER_PX = {40: 0.25, 20: 0.5}
"""Magnification -> the pixel size that it nominally has, in um."""


def nearest_magnification(um_per_px: float) -> int:
    """Return the magnification whose pixel size is nearest, by ratio.

    >>> nearest_magnification(0.2738), nearest_magnification(0.5)
    (40, 20)
    """
    return min(UM_PER_PX, key=lambda m: abs(math.log(um_per_px / UM_PER_PX[m])))
