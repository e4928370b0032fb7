"""The DAPI image of a bundle: windows of any level, read tile by tile."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffFile, TiffFileError

from sthelar_build.errors import InputError
from sthelar_build.io.images.slide_level import downsample
from sthelar_build.io.images.tiff_directories import check_directories
from sthelar_build.io.images.tiff_windows import TiffLevel, TileCache

_CACHE_BYTES = 2**28


class MorphologyImage:
    """An open DAPI image; get one from ``open_morphology``."""

    def __init__(self, levels: list[TiffLevel]) -> None:
        self._levels = levels
        self.width_px, self.height_px = levels[0].width_px, levels[0].height_px

    def level_of_downsample(self, downsample: float) -> int:
        """Return the smallest level that is not coarser than ``downsample`` (up to rounding)."""
        factors = [self.downsample(number) for number in range(len(self._levels))]
        return max(n for n, factor in enumerate(factors) if n == 0 or factor < downsample * 1.01)

    def downsample(self, level: int) -> float:
        """Return the level-0 pixels per pixel of a level."""
        return downsample(self._levels[0], self._levels[level])

    def read(
        self, x_px: int, y_px: int, width_px: int, height_px: int, level: int = 0
    ) -> NDArray[np.float32]:
        """Return the window (height_px, width_px) in pixels of ``level``; 0 outside the image."""
        source = self._levels[level]
        window = np.zeros((height_px, width_px), dtype=np.float32)
        left, right = np.clip([x_px, x_px + width_px], 0, source.width_px).tolist()
        top, bottom = np.clip([y_px, y_px + height_px], 0, source.height_px).tolist()
        if right > left and bottom > top:
            inside = source.read(left, top, right - left, bottom - top)[..., 0]
            window[top - y_px : bottom - y_px, left - x_px : right - x_px] = inside
        return window


@contextmanager
def open_morphology(path: Path) -> Iterator[MorphologyImage]:
    """Open the DAPI channel, which is the first page of its file; links to other files are not followed."""
    try:
        check_directories(path)
        file = TiffFile(path, is_ome=False)
    except (OSError, TiffFileError, struct.error, ValueError, IndexError) as error:
        raise InputError(
            f"{path}: expected the morphology image of the bundle, found none that can be read; "
            "copy the bundle again from its source"
        ) from error
    with file:
        first = file.pages[0]
        pages = [first, *(first.pages or [])]
        cache = TileCache(_CACHE_BYTES)
        yield MorphologyImage([TiffLevel(path, file, [page], cache) for page in pages])
