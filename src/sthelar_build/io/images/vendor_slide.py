"""Slides in the formats of scanners (NDPI, MRXS, SCN, ...), decoded by OpenSlide where it is installed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sthelar_build.errors import InputError
from sthelar_build.io.images.pixel_size import believable
from sthelar_build.io.images.slide_level import SlideLevel
from sthelar_build.io.images.tiff_windows import TileCache

SUFFIXES = (".ndpi", ".mrxs", ".scn", ".vms", ".vmu", ".bif", ".svslide", ".dcm")
"""Formats that only OpenSlide reads here: Hamamatsu, 3DHistech, Leica, Ventana, Sakura, DICOM."""


class OpenSlideLevel:
    """One level of a slide; OpenSlide may be called by several threads at once."""

    def __init__(self, path: Path, slide: Any, number: int) -> None:
        self._path, self._slide, self._number = path, slide, number
        self.width_px, self.height_px = slide.level_dimensions[number]

    def read(self, x_px: int, y_px: int, width_px: int, height_px: int) -> NDArray[np.uint8]:
        """Return the window (height_px, width_px, 4) with alpha: what the scanner left out is transparent."""
        factor = self._slide.level_downsamples[self._number]
        corner = round(x_px * factor), round(y_px * factor)
        try:
            window = self._slide.read_region(corner, self._number, (width_px, height_px))
        except _errors() as error:
            raise _damaged(self._path, error) from error
        return np.asarray(window)


def needs_openslide(path: Path) -> bool:
    """Whether a file is in a format that only OpenSlide reads."""
    return path.suffix.lower() in SUFFIXES


@contextmanager
def open_vendor_slide(
    path: Path, cache: TileCache
) -> Iterator[tuple[Sequence[SlideLevel], float | None]]:
    """Yield the levels of a slide, largest first, and its pixel size in um as the file says.

    Level 0 is the whole canvas of the scanner, bounds or not. InputError if OpenSlide is not installed or cannot
    read the file.
    """
    if not path.is_file():
        raise InputError(f"{path}: expected an H&E image, found no file; check the path")
    openslide = _openslide(path)
    try:
        slide = openslide.OpenSlide(path)
    except _errors() as error:
        raise _damaged(path, error) from error
    with slide:
        slide.set_cache(openslide.OpenSlideCache(cache.capacity_bytes))
        levels = [OpenSlideLevel(path, slide, number) for number in range(slide.level_count)]
        yield levels, believable(slide.properties.get(openslide.PROPERTY_NAME_MPP_X))


def _openslide(path: Path) -> Any:
    try:
        return import_module("openslide")
    except ModuleNotFoundError as error:
        raise InputError(
            f"{path}: expected OpenSlide, which reads this format, found it not installed; "
            "pip install openslide-python openslide-bin, or export the H&E as OME-TIFF"
        ) from error


def _errors() -> tuple[type[Exception], ...]:
    openslide = import_module("openslide")
    return openslide.OpenSlideError, ValueError, OSError


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(
        f"{path}: expected a slide that OpenSlide can read, found {str(error).strip() or type(error).__name__}; "
        "copy it again from its source, with all the files beside it"
    )
