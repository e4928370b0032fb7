"""One resolution of a slide, whoever decodes it."""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import NDArray


class SlideLevel(Protocol):
    """A level of a pyramid that gives windows."""

    width_px: int
    height_px: int

    def read(self, x_px: int, y_px: int, width_px: int, height_px: int) -> NDArray[Any]:
        """Return the window (height_px, width_px, channels); it must lie inside the level."""


class Sized(Protocol):
    """What has a width and a height."""

    width_px: int
    height_px: int


def downsample(full: Sized, level: Sized) -> float:
    """Return the level-0 pixels per pixel of a level.

    A whole number wherever the sizes allow it: a pyramid that halves drops the odd last column or row, and the
    ratio of the widths would then be off by a pixel at the far border.
    """
    ratio = full.width_px / level.width_px
    whole = round(ratio)
    fits = all(
        abs(big / whole - small) < 1
        for big, small in (
            (full.width_px, level.width_px),
            (full.height_px, level.height_px),
        )
    )
    return float(whole) if fits else ratio
