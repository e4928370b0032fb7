"""An H&E as the plainest pyramidal TIFF that every slide reader opens: tiled RGB, a directory a level, nothing lost.

Written as a stream: memory grows with the width of the image, not with its area.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray

from sthelar_build.io.images.he import HeImage
from sthelar_build.io.ome_tiff import halve

TILE_PX = 256

_WHITE = 255
_SOFTWARE = "sthelar_build"
_BUFFER_BYTES = 2**26
"""Tiles that wait to be compressed."""
_BIG_TIFF_FROM_BYTES = 2**33 // 3
"""LZW makes what never repeats larger by half; the plain format ends at 4 GiB."""

RGB = NDArray[np.uint8]
Strips = Iterator[RGB]


def write_plain_pyramid(path: Path, he: HeImage, um_per_px: float, threads: int) -> None:
    """Write level 0 pixel by pixel as it is, and halved levels until one fits into a tile.

    Parameters
    ----------
    path
        The file; the caller publishes it. Beside it lie the halved levels while they wait, at most a third of the
        image without compression.
    he
        The image.
    um_per_px
        Size of its pixels; stands in the resolution tags, doubled from level to level.
    threads
        Compress tiles; the file is the same whatever their number.

    Notes
    -----
    LZW with horizontal differencing, as HEST-1k has. A level is made from the one before by the mean of 2 x 2 pixels;
    a last odd row or column is left out of it.
    """
    shapes = level_shapes(he.height_px, he.width_px)
    big = 3 * sum(height * width for height, width in shapes) > _BIG_TIFF_FROM_BYTES
    with (
        TemporaryDirectory(dir=path.parent) as scratch,
        tifffile.TiffWriter(path, bigtiff=big) as tiff,
    ):
        strips = _strips_of_he(he)
        for level, shape in enumerate(shapes):
            half = Path(scratch) / f"{level + 1}.raw"
            with half.open("wb") as file:
                kept = file if level + 1 < len(shapes) else None
                _write_level(tiff, strips, shape, level, um_per_px, threads, kept)
            (Path(scratch) / f"{level}.raw").unlink(missing_ok=True)
            if kept is not None:
                strips = _strips_of_file(half, shapes[level + 1])


def level_shapes(height_px: int, width_px: int) -> list[tuple[int, int]]:
    """Return height and width of every level, level 0 first.

    >>> level_shapes(1000, 300)
    [(1000, 300), (500, 150), (250, 75)]
    """
    shapes = [(height_px, width_px)]
    while max(shapes[-1]) > TILE_PX and min(shapes[-1]) > 1:
        shapes.append((shapes[-1][0] // 2, shapes[-1][1] // 2))
    return shapes


def _write_level(
    tiff: tifffile.TiffWriter,
    strips: Strips,
    shape: tuple[int, int],
    level: int,
    um_per_px: float,
    threads: int,
    half: BinaryIO | None,
) -> None:
    per_cm = 1e4 / (um_per_px * 2**level)
    tiff.write(
        _tiles(_passing_halves(strips, half)),
        shape=(*shape, 3),
        dtype=np.uint8,
        photometric="rgb",
        tile=(TILE_PX, TILE_PX),
        compression="lzw",
        predictor=True,
        resolution=(per_cm, per_cm),
        resolutionunit="CENTIMETER",
        subfiletype=1 if level else 0,
        software=_SOFTWARE,
        metadata=None,
        maxworkers=threads,
        buffersize=_BUFFER_BYTES,
    )


def _strips_of_he(he: HeImage) -> Strips:
    for top in range(0, he.height_px, TILE_PX):
        yield he.read(0, top, he.width_px, min(TILE_PX, he.height_px - top))


def _strips_of_file(path: Path, shape: tuple[int, int]) -> Strips:
    height, width = shape
    with path.open("rb") as file:
        for top in range(0, height, TILE_PX):
            rows = min(TILE_PX, height - top)
            content = file.read(rows * width * 3)
            yield np.frombuffer(content, np.uint8).reshape(rows, width, 3)


def _passing_halves(strips: Strips, half: BinaryIO | None) -> Strips:
    """Pass strips through, and append each at half size to a file: strips of even height halve on their own."""
    for strip in strips:
        if half:
            half.write(halve(strip).tobytes())
        yield strip


def _tiles(strips: Strips) -> Iterator[RGB]:
    """Cut strips into tiles, white beyond the image."""
    for strip in strips:
        rows, width = strip.shape[:2]
        across = -(-width // TILE_PX)
        padded = np.full((TILE_PX, across * TILE_PX, 3), _WHITE, dtype=np.uint8)
        padded[:rows, :width] = strip
        for left in range(0, across * TILE_PX, TILE_PX):
            yield np.ascontiguousarray(padded[:, left : left + TILE_PX])
