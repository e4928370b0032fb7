"""The H&E in a TIFF, OME-TIFF or SVS: which of its images are the levels of the slide, and whether they can be read."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from tifffile import TiffFile, TiffFileError

from sthelar_build.errors import InputError
from sthelar_build.io.images.pixel_size import stated_um_per_px
from sthelar_build.io.images.slide_level import SlideLevel
from sthelar_build.io.images.tiff_directories import check_directories
from sthelar_build.io.images.tiff_windows import TiffLevel, TileCache
from sthelar_build.io.images.vendor_slide import open_vendor_slide

_PHOTOMETRIC_MINISBLACK, _PHOTOMETRIC_RGB, _PHOTOMETRIC_YCBCR = 1, 2, 6
_JPEG_COMPRESSIONS = (6, 7, 33007)
"""Compressions whose decoder turns YCbCr into RGB."""
_APERIO_YCBCR = 33003
"""JPEG 2000 in YCbCr that calls itself RGB: OpenSlide knows how."""
_BROKEN = (TiffFileError, struct.error, ValueError, IndexError, KeyError, OSError, RuntimeError)


@contextmanager
def open_tiff_slide(
    path: Path, cache: TileCache
) -> Iterator[tuple[Sequence[SlideLevel], float | None]]:
    """Yield the levels of a slide, largest first, and its pixel size in um as the file says; InputError if it cannot be read."""
    try:
        check_directories(path)
        file = TiffFile(path, _multifile=False)
    except (*_BROKEN, TypeError) as error:
        raise InputError(
            f"{path}: expected an H&E image as TIFF, OME-TIFF or SVS, found "
            f"{'a file that is none, or broken' if path.is_file() else 'no file'}; check the path"
        ) from error
    with file:
        if _compression(path, file) == _APERIO_YCBCR:
            with open_vendor_slide(path, cache) as slide:
                yield slide
            return
        pyramid = _pyramid(path, file)
        levels = [TiffLevel(path, file, pages, cache) for pages in pyramid]
        yield levels, stated_um_per_px(file, pyramid[0][0])


def _compression(path: Path, file: TiffFile) -> int:
    try:
        return int(file.pages.first.compression)
    except _BROKEN as error:
        raise _no_image(path) from error


def _pyramid(path: Path, file: TiffFile) -> list[list[Any]]:
    """Return the pages of every level, largest first.

    The slide is the largest image of the file, whatever label or thumbnail comes before it; all that show it
    smaller are its levels, wherever they stand.
    """
    try:
        series = sorted(file.series, key=_area, reverse=True)
        levels = [level for one in series for level in one.levels]
        pages = {id(level): list(level.pages) for level in levels}
    except _BROKEN as error:
        raise _no_image(path) from error
    full = levels[0]
    _check_rgb(path, full, pages[id(full)])
    smaller = [level for level in levels if _is_smaller_copy(level, full)]
    by_size = {_area(level): pages[id(level)] for level in reversed(smaller)}
    return [pages[id(full)], *(by_size[area] for area in sorted(by_size, reverse=True))]


def _area(image: Any) -> int:
    return int(np.prod([image.shape[image.axes.index(axis)] for axis in "YX"]))


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
            "export the H&E as one plane of 8-bit RGB"
        )


def _is_smaller_copy(image: Any, first: Any) -> bool:
    """Whether another image of the file has the shape of the first one at a lower resolution."""
    if image.axes != first.axes or image.dtype != first.dtype:
        return False
    y, x = first.axes.index("Y"), first.axes.index("X")
    tall, wide = first.shape[y] / image.shape[y], first.shape[x] / image.shape[x]
    rounding = 1.5 / min(image.shape[y], image.shape[x])
    return bool(min(tall, wide) > 1.5 and abs(tall / wide - 1) < rounding)


def _no_image(path: Path) -> InputError:
    return InputError(
        f"{path}: expected at least one image in the file, found broken directories; "
        "copy it again from its source"
    )
