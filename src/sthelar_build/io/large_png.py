"""RGB images larger than memory as PNG, band by band, with the size of their pixels."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.png_rows import filtered_photograph

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LEVEL = 1
"""Effort of compression: a photograph gains a few percent from more."""
_RGB, _METRE = 2, 1


def write_png(
    path: Path, width_px: int, height_px: int, bands: Iterable[NDArray[np.uint8]], um_per_px: float
) -> None:
    """Write an image whose bands (rows, width_px, 3), uint8, come top to bottom; ValueError if they do not add up.

    ``um_per_px`` stands in the file as pixels per metre. The caller publishes the file.
    """
    per_metre = round(1e6 / um_per_px)
    with path.open("xb") as file:
        file.write(_SIGNATURE)
        file.write(_chunk(b"IHDR", struct.pack(">IIBBBBB", width_px, height_px, 8, _RGB, 0, 0, 0)))
        file.write(_chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, _METRE)))
        for content in _deflated(bands, (height_px, width_px)):
            file.write(_chunk(b"IDAT", content))
        file.write(_chunk(b"IEND", b""))


def _deflated(bands: Iterable[NDArray[np.uint8]], shape: tuple[int, int]) -> Iterator[bytes]:
    packer = zlib.compressobj(_LEVEL)
    above: NDArray[np.uint8] | None = None
    rows = 0
    for band in bands:
        if band.shape[1:] != (shape[1], 3):
            raise ValueError(f"expected bands of (rows, {shape[1]}, 3), got {band.shape}")
        # A row is filtered against the one above it, which may be the last of the band before.
        joined = band if above is None else np.concatenate([above, band])
        filtered = filtered_photograph(joined)[len(joined) - len(band) :]
        content = packer.compress(filtered.tobytes())
        if content:
            yield content
        above = band[-1:]
        rows += len(band)
    if rows != shape[0]:
        raise ValueError(f"expected {shape[0]} rows, got {rows}")
    yield packer.flush()


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(content, zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(content)), kind, content, struct.pack(">I", checksum)))
