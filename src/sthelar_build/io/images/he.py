"""Whole-slide H&E images: pyramid levels, micrometres per pixel, windows read tile by tile."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffFile, TiffFileError

from sthelar_build.core.he_window import HeWindow, touched
from sthelar_build.core.resample import area_average
from sthelar_build.errors import InputError
from sthelar_build.io.images.pixel_size import stated_um_per_px
from sthelar_build.io.images.tiff_windows import TiffLevel, TileCache, downsample

RGB = NDArray[np.uint8]

_WHITE = 255
_CACHE_BYTES = 2**30
_BAND_PX = 1024
_BAND_AREA_PX = 2**22
_PHOTOMETRIC_MINISBLACK, _PHOTOMETRIC_RGB, _PHOTOMETRIC_YCBCR = 1, 2, 6
_JPEG_COMPRESSIONS = (6, 7, 33007)
"""Compressions whose decoder turns YCbCr into RGB."""


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
        self, levels: Sequence[TiffLevel], um_per_px: float | None, cache: TileCache
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
    """Open a whole-slide H&E image: TIFF, OME-TIFF, or SVS; 8-bit RGB or RGBA, in either channel order.

    Parameters
    ----------
    path
        The file. Pyramids are SubIFDs, vendor levels, or further images of the same shape.
    cache_bytes
        Decoded tiles are kept up to this size, last used first. Patches read row by row decode every tile
        about once if two rows of tiles fit.

    Raises
    ------
    InputError
        If it cannot be read, is truncated, or is no 8-bit RGB image.
    """
    try:
        file = TiffFile(path, _multifile=False)
    except (OSError, TiffFileError, struct.error, ValueError, IndexError) as error:
        raise InputError(
            f"{path}: expected an H&E image as TIFF, OME-TIFF or SVS, found "
            f"{'a file that is none, or broken' if path.is_file() else 'no file'}; check the path"
        ) from error
    with file:
        cache = TileCache(cache_bytes)
        pages = _pyramid(path, file)
        levels = [TiffLevel(path, file, level, cache) for level in pages]
        yield HeImage(levels, stated_um_per_px(file), cache)


def _rgb(pixels: NDArray[Any]) -> RGB:
    """Drop the alpha channel; what is wholly transparent becomes white."""
    if pixels.shape[2] == 3:
        return np.ascontiguousarray(pixels)
    rgb = np.ascontiguousarray(pixels[..., :3])
    rgb[pixels[..., 3] == 0] = _WHITE
    return rgb


def _pyramid(path: Path, file: TiffFile) -> list[list[Any]]:
    """Return the pages of every level, largest first."""
    try:
        series = list(file.series)
        levels = list(series[0].levels)
        pages = [list(level.pages) for level in levels]
    except (TiffFileError, struct.error, ValueError, IndexError, OSError, RuntimeError) as error:
        raise InputError(
            f"{path}: expected at least one image in the file, found broken directories; "
            "copy it again from its source"
        ) from error
    _check_rgb(path, series[0], pages[0])
    if len(pages) == 1:
        pages += [list(s.pages) for s in series[1:] if _is_smaller_copy(s, series[0])]
    return pages


def _check_rgb(path: Path, image: Any, pages: list[Any]) -> None:
    found = f"{'x'.join(map(str, image.shape))} ({image.axes}) {image.dtype}"
    if any(page is None for page in pages):
        raise InputError(
            f"{path}: expected all channels of the image in this file, found some missing: truncated, or "
            "kept in other files; export the H&E as one file"
        )
    page = pages[0].keyframe
    separate_pages = len(pages) in (3, 4) and image.axes[0] in "CQS" and len(image.axes) == 3
    one_page = len(pages) == 1 and int(page.samplesperpixel) in (3, 4)
    photometric = int(page.photometric)
    rgb = photometric == _PHOTOMETRIC_RGB or (
        photometric == _PHOTOMETRIC_YCBCR and int(page.compression) in _JPEG_COMPRESSIONS
    )
    if separate_pages:
        rgb = photometric in (_PHOTOMETRIC_MINISBLACK, _PHOTOMETRIC_RGB)
    if image.dtype != np.uint8 or not (separate_pages or one_page) or not rgb:
        colours = getattr(page.photometric, "name", photometric)
        raise InputError(
            f"{path}: expected an 8-bit RGB image (y, x, 3) or (3, y, x), found {found} {colours}; "
            "export the H&E as 8-bit RGB"
        )


def _is_smaller_copy(image: Any, first: Any) -> bool:
    """Whether another image of the file has the shape of the first one at a lower resolution."""
    if (
        image.axes != first.axes
        or image.dtype != first.dtype
        or any(p is None for p in image.pages)
    ):
        return False
    y, x = first.axes.index("Y"), first.axes.index("X")
    tall, wide = first.shape[y] / image.shape[y], first.shape[x] / image.shape[x]
    rounding = 1.5 / min(image.shape[y], image.shape[x])
    return bool(min(tall, wide) > 1.5 and abs(tall / wide - 1) < rounding)
