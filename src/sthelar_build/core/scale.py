"""Scales by name: ``native``, ``native/2``, or a number in um/px."""

from __future__ import annotations

import math

NATIVE = "native"
HALF_OF_NATIVE = "native/2"


def downsample_of(scale: str, he_um_per_px: float) -> float:
    """Return the level-0 H&E pixels per pixel of a scale; ValueError if it is none.

    ``native`` is level 0 as it is, ``native/2`` averages 2 x 2 pixels, and a number is a size in um/px.

    >>> downsample_of("0.5", he_um_per_px=0.25)
    2.0
    """
    if scale == NATIVE:
        return 1.0
    if scale == HALF_OF_NATIVE:
        return 2.0
    try:
        um_per_px = float(scale)
    except ValueError:
        um_per_px = math.nan
    if not 0 < um_per_px < math.inf:
        raise ValueError(
            f"expected {NATIVE}, {HALF_OF_NATIVE}, or a number in um/px, found {scale!r}"
        )
    return um_per_px / he_um_per_px
