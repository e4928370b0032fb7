"""The compressed tiles of a mosaic's image: what is seen twice is compressed once."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from sthelar_build.core.simulation.mosaic_image import MosaicImage, Piece


def mosaic_tiles(image: MosaicImage, options: dict[str, Any]) -> Iterator[bytes]:
    """Yield the tiles of one level, row by row, compressed as ``tifffile`` would compress them with these options.

    Tiles inside one block are kept, so memory grows with the number of different blocks; tiles across a
    seam are compressed anew.
    """
    side = options["tile"][0]
    height, width = image.shape[:2]
    seen: dict[Piece, bytes] = {}
    for top in range(0, height, side):
        for left in range(0, width, side):
            pieces = image.pieces(top, left, side)
            if len(pieces) > 1 or len(pieces[0]) > 1:
                yield _compressed(_filled(image.pixels(pieces), side), options)
                continue
            piece = pieces[0][0]
            if piece not in seen:
                seen[piece] = _compressed(_filled(image.pixels(pieces), side), options)
            yield seen[piece]


def _filled(pixels: NDArray[Any], side: int) -> NDArray[Any]:
    """Return a whole tile; beyond the image it is 0, as in all files of ours."""
    tile = np.zeros((side, side, *pixels.shape[2:]), dtype=pixels.dtype)
    tile[: pixels.shape[0], : pixels.shape[1]] = pixels
    return tile


def _compressed(tile: NDArray[Any], options: dict[str, Any]) -> bytes:
    file = BytesIO()
    tifffile.imwrite(file, tile, **options)  # noqa: TID251 -- to memory
    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        page = tiff.pages.first
        start, length = page.dataoffsets[0], page.databytecounts[0]
    return file.getvalue()[start : start + length]
