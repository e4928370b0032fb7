"""Pyramids of square tiles: every level has half the pixels a side of the one below it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class TileLevel:
    """One level: its size in its own pixels, and its tiles; the last ones may be smaller."""

    width_px: int
    height_px: int
    columns: int
    rows: int


def tile_levels(width_px: int, height_px: int, tile_px: int) -> tuple[TileLevel, ...]:
    """Return the levels of an image, finest first, up to the one that is a single tile.

    >>> [(level.width_px, level.columns) for level in tile_levels(1000, 300, 256)]
    [(1000, 4), (500, 2), (250, 1)]
    """
    levels = []
    while True:
        columns, rows = math.ceil(width_px / tile_px), math.ceil(height_px / tile_px)
        levels.append(TileLevel(width_px, height_px, columns, rows))
        if columns == rows == 1:
            return tuple(levels)
        width_px, height_px = math.ceil(width_px / 2), math.ceil(height_px / 2)


def halved(pixels: Pixels) -> Pixels:
    """Return an image (h, w) or (h, w, channels) at half its size, every pixel the mean of 2 x 2, halves rounded up.

    Of an odd side the last row or column counts twice.
    """
    height, width = pixels.shape[:2]
    odd = [(0, height % 2), (0, width % 2), *[(0, 0)] * (pixels.ndim - 2)]
    even = np.pad(pixels, odd, mode="edge").astype(np.uint16)
    total = even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]
    return ((total + 2) // 4).astype(np.uint8)
