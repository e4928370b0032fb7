"""Whole-slide H&E images: pyramid levels, micrometres per pixel, windows read tile by tile."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.he_window import HeWindow, touched
from sthelar_build.core.resample import area_average
from sthelar_build.errors import InputError
from sthelar_build.io.images.slide_level import SlideLevel, downsample
from sthelar_build.io.images.tiff_slide import open_tiff_slide
from sthelar_build.io.images.tiff_windows import TileCache
from sthelar_build.io.images.vendor_slide import needs_openslide, open_vendor_slide

SMALLEST_SIDE_PX = 64
"""A few nuclei."""
RGB = NDArray[np.uint8]

_WHITE = 255
_CACHE_BYTES = 2**30
_BAND_PX = 1024
_BAND_AREA_PX = 2**22


@dataclass(frozen=True)
class Level:
    """One level of the pyramid."""

    width_px: int
    height_px: int
    downsample: float
    """Level-0 pixels per pixel of this level."""


class HeImage:
    """An open H&E image; get one from ``open_he``. Threads may share it.

    Coordinates are pixels of the level that is read, x right and y down; pixel (r, c) covers
    [c, c+1) x [r, r+1). What lies outside the image, or is stored empty, is white.
    """

    def __init__(
        self, levels: Sequence[SlideLevel], um_per_px: float | None, cache: TileCache
    ) -> None:
        self._levels, self._cache = list(levels), cache
        self.width_px, self.height_px = levels[0].width_px, levels[0].height_px
        self.um_per_px = um_per_px
        """Size of a level-0 pixel as the file says; None where it says nothing."""
        self.levels = tuple(
            Level(level.width_px, level.height_px, downsample(levels[0], level)) for level in levels
        )

    @property
    def tiles_decoded(self) -> int:
        """Number of tiles or strips decoded so far, over all levels."""
        return self._cache.decoded

    def read(self, x_px: int, y_px: int, width_px: int, height_px: int, level: int = 0) -> RGB:
        """Return the window (height_px, width_px, 3), uint8; all four in pixels of ``level``."""
        source = self._levels[level]
        left, right = np.clip([x_px, x_px + width_px], 0, source.width_px).tolist()
        top, bottom = np.clip([y_px, y_px + height_px], 0, source.height_px).tolist()
        if (right - left, bottom - top) == (width_px, height_px):
            return _rgb(source.read(left, top, width_px, height_px))
        window = np.full((height_px, width_px, 3), _WHITE, dtype=np.uint8)
        if right > left and bottom > top:
            inside = _rgb(source.read(left, top, right - left, bottom - top))
            window[top - y_px : bottom - y_px, left - x_px : right - x_px] = inside
        return window

    def read_area(self, x_he_px: float, y_he_px: float, side_he_px: float, side_px: int) -> RGB:
        """Return a square of level 0 as (side_px, side_px, 3), every pixel the mean of the area it covers.

        Always computed from level 0, so that a downsample of 1 is the image itself and 2 the mean of
        2 x 2 pixels, halves rounded up, whatever the pyramid holds.
        """
        return self.window(x_he_px, y_he_px, side_he_px, side_he_px).area(
            x_he_px, y_he_px, side_he_px, side_px
        )

    def window(
        self, x_he_px: float, y_he_px: float, width_he_px: float, height_he_px: float
    ) -> HeWindow:
        """Return all pixels of level 0 that a rectangle touches."""
        left, top, right, bottom = touched(x_he_px, y_he_px, width_he_px, height_he_px)
        return HeWindow(self.read(left, top, right - left, bottom - top), left, top)

    def thumbnail(self, max_side_px: int) -> RGB:
        """Return the whole image with its longer side at ``max_side_px``, or as it is if smaller.

        Made from the smallest level that suffices, band by band. A pixel covers
        width_px / columns by height_px / rows pixels of level 0.
        """
        level = self.levels[self.level_of_side(max_side_px)]
        factor = max(1.0, max(level.width_px, level.height_px) / max_side_px)
        columns = max(1, round(level.width_px / factor))
        rows = max(1, round(level.height_px / factor))
        return np.concatenate(list(self.bands(columns, rows)))

    def bands(self, columns: int, rows: int) -> Iterator[RGB]:
        """Yield the whole image at ``columns`` x ``rows`` pixels, some rows at a time, top to bottom.

        Made from the smallest level that suffices; never larger than level 0. Memory depends on the width alone.
        """
        number = self.level_of_side(max(columns, rows))
        level = self.levels[number]
        tall = min(_BAND_PX, max(1, _BAND_AREA_PX // level.width_px))
        per_band = max(1, int(tall * rows / level.height_px))
        for row in range(0, rows, per_band):
            yield self._band(number, columns, rows, row, min(row + per_band, rows))

    def level_of_side(self, min_side_px: int) -> int:
        """Return the smallest level whose longer side has ``min_side_px`` or more; 0 if none has."""
        enough = [
            number
            for number, level in enumerate(self.levels)
            if max(level.width_px, level.height_px) >= min_side_px
        ]
        return max(enough, default=0)

    def level_of_downsample(self, downsample: float) -> int:
        """Return the smallest level that is not coarser than ``downsample`` (up to rounding)."""
        return max(
            n for n, lv in enumerate(self.levels) if n == 0 or lv.downsample < downsample * 1.01
        )

    def _band(self, number: int, columns: int, rows: int, start: int, stop: int) -> RGB:
        level = self.levels[number]
        step_x, step_y = level.width_px / columns, level.height_px / rows
        top = math.floor(start * step_y)
        bottom = min(math.ceil(stop * step_y), level.height_px)
        pixels = self.read(0, top, level.width_px, bottom - top, number)
        return area_average(
            pixels, (0, start * step_y - top), (step_x, step_y), (stop - start, columns)
        )


@contextmanager
def open_he(path: Path, cache_bytes: int = _CACHE_BYTES) -> Iterator[HeImage]:
    """Open a whole-slide H&E image: TIFF, OME-TIFF or SVS; NDPI, MRXS, SCN and others through OpenSlide.

    Parameters
    ----------
    path
        The file; 8-bit RGB or RGBA, in either channel order. Pyramids are SubIFDs, vendor levels, or further
        images of the same shape.
    cache_bytes
        Decoded tiles are kept up to this size, last used first. Patches read row by row decode every tile
        about once if two rows of tiles fit.

    Raises
    ------
    InputError
        If it cannot be read, is truncated, is no 8-bit RGB image, or has strips too large to read in windows.
    """
    opened = open_vendor_slide if needs_openslide(path) else open_tiff_slide
    cache = TileCache(cache_bytes)
    with opened(path, cache) as (levels, um_per_px):
        yield HeImage(levels, um_per_px, cache)


def _rgb(pixels: NDArray[Any]) -> RGB:
    """Drop the alpha channel; what is wholly transparent becomes white."""
    if pixels.shape[2] == 3:
        return np.ascontiguousarray(pixels)
    rgb = np.ascontiguousarray(pixels[..., :3])
    rgb[pixels[..., 3] == 0] = _WHITE
    return rgb


def check_size(path: Path, image: HeImage) -> None:
    """Raise InputError if an image is too small to be an H&E of anything."""
    if min(image.width_px, image.height_px) < SMALLEST_SIDE_PX:
        raise InputError(
            f"{path}: expected an H&E of {SMALLEST_SIDE_PX} px a side at least, found {image.width_px} x "
            f"{image.height_px} px: it may be a label or a thumbnail; export the slide itself"
        )
