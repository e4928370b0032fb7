"""Windows of large TIFF images: only the tiles or strips that a window touches are decoded, and each about once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffFile

from sthelar_build.errors import InputError

Pixels = NDArray[Any]

_MAX_SEGMENT_BYTES = 2**27
"""A window must not decode gigabytes: of 54,000 pixels in a row, strips may have 800 rows."""


class TileCache:
    """Keeps the decoded tiles that were used last, up to a number of bytes. Threads may share it."""

    def __init__(self, capacity_bytes: int) -> None:
        self.capacity_bytes = capacity_bytes
        self._held_bytes = 0
        self._tiles: OrderedDict[Any, Pixels] = OrderedDict()
        self._lock = Lock()
        self.decoded = 0
        """Number of tiles decoded so far."""

    def get(self, key: Any, decode: Callable[[], Pixels]) -> Pixels:
        """Return the tile of this key, decoding it if it is not held."""
        with self._lock:
            if key in self._tiles:
                self._tiles.move_to_end(key)
                return self._tiles[key]
        tile = decode()
        with self._lock:
            self.decoded += 1
            if key not in self._tiles:
                self._tiles[key] = tile
                self._held_bytes += tile.nbytes
            while self._held_bytes > self.capacity_bytes and len(self._tiles) > 1:
                self._held_bytes -= self._tiles.popitem(last=False)[1].nbytes
        return tile


class TiffLevel:
    """One resolution of an image: one TIFF page, or one page per channel.

    ``read`` returns windows (h, w, channels) whatever the order on disk; the window must lie inside.
    """

    def __init__(self, path: Path, file: TiffFile, pages: Sequence[Any], cache: TileCache) -> None:
        self._path, self._file, self._pages, self._cache = path, file, list(pages), cache
        self._page = pages[0].keyframe
        file.filehandle.set_lock(True)
        self.height_px, self.width_px = int(self._page.imagelength), int(self._page.imagewidth)
        self.channels = len(pages) if len(pages) > 1 else int(self._page.samplesperpixel)
        self.dtype = np.dtype(self._page.dtype)
        self.tile_shape = self._tile_shape()
        self._check_length()
        # Read from the file on first use; threads must not do that while another one reads a tile.
        self._decode_bytes, self._jpeg_header = self._page.decode, self._page.jpegheader
        self._jpeg_tables = {id(page): page.jpegtables for page in pages}
        self._plain = [_memory_map(page) for page in pages] if self._page.is_memmappable else []
        self._check_segments()

    def read(self, x_px: int, y_px: int, width_px: int, height_px: int) -> Pixels:
        """Return the window (height_px, width_px, channels); it must lie inside the level."""
        if self._plain:
            part = [p[y_px : y_px + height_px, x_px : x_px + width_px] for p in self._plain]
            return np.concatenate(part, axis=2)
        window = np.empty((height_px, width_px, self.channels), self.dtype)
        tall, wide = self.tile_shape
        for row in range(y_px // tall, -(-(y_px + height_px) // tall)):
            for column in range(x_px // wide, -(-(x_px + width_px) // wide)):
                key = (id(self), row, column)
                tile = self._cache.get(key, partial(self._decode, row, column))
                _copy_overlap(tile, column * wide - x_px, row * tall - y_px, window)
        return window

    def _tile_shape(self) -> tuple[int, int]:
        if self._page.is_tiled:
            return int(self._page.tilelength), int(self._page.tilewidth)
        return min(int(self._page.rowsperstrip), self.height_px), self.width_px

    def _decode(self, row: int, column: int) -> Pixels:
        across = -(-self.width_px // self.tile_shape[1])
        down = -(-self.height_px // self.tile_shape[0])
        number = row * across + column
        separate = int(self._page.planarconfig) == 2 and len(self._pages) == 1
        planes = range(self.channels if separate else 1)
        parts = [
            self._segment(page, number + plane * across * down)
            for page in self._pages
            for plane in planes
        ]
        height = min(self.tile_shape[0], self.height_px - row * self.tile_shape[0])
        width = min(self.tile_shape[1], self.width_px - column * self.tile_shape[1])
        return np.concatenate([part[:height, :width] for part in parts], axis=2)

    def _segment(self, page: Any, number: int) -> Pixels:
        handle = self._file.filehandle
        with handle.lock:
            handle.seek(page.dataoffsets[number])
            data = handle.read(page.databytecounts[number])
        try:
            segment, _, shape = self._decode_bytes(
                data or None,
                number,
                jpegtables=self._jpeg_tables[id(page)],
                jpegheader=self._jpeg_header,
            )
        except (ValueError, RuntimeError, OSError, TypeError) as error:
            raise InputError(
                f"{self._path}: expected image data in segment {number}, found bytes that cannot be "
                f"decoded ({error}); copy the file again from its source"
            ) from error
        if segment is None:
            return np.full(shape[1:], np.iinfo(self.dtype).max, self.dtype)
        return np.asarray(segment[0])

    def _check_length(self) -> None:
        size = self._path.stat().st_size
        for page in self._pages:
            ends = [o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=False)]
            if max(ends, default=0) > size:
                raise InputError(
                    f"{self._path}: expected {max(ends)} bytes or more, found {size}: the file is "
                    "truncated; copy it again from its source"
                )
            if not any(page.databytecounts[: len(ends)]):
                raise InputError(
                    f"{self._path}: expected the pixels of {self.width_px} x {self.height_px}, found none: the file "
                    "was not written to its end; export it again, or copy it again from its source"
                )

    def _check_segments(self) -> None:
        tall, wide = self.tile_shape
        found_bytes = tall * wide * self.channels * self.dtype.itemsize
        if self._plain or found_bytes <= _MAX_SEGMENT_BYTES:
            return
        raise InputError(
            f"{self._path}: expected tiles, or strips of at most {_MAX_SEGMENT_BYTES // 2**20} MB, found "
            f"{tall} rows in one piece ({found_bytes / 2**20:.0f} MB), which every window would decode whole; "
            f"convert it: vips tiffsave {self._path.name} he.tif --tile --pyramid --bigtiff --compression jpeg --Q 95"
        )


def _memory_map(page: Any) -> Pixels:
    """Return an uncompressed page as (h, w, samples), mapped and not read."""
    pixels = page.asarray(out="memmap", squeeze=False)[:, 0]
    separate = int(page.keyframe.planarconfig) == 2
    return np.moveaxis(pixels[..., 0], 0, -1) if separate else np.asarray(pixels[0])


def _copy_overlap(tile: Pixels, x_px: int, y_px: int, window: Pixels) -> None:
    """Copy what a tile and the window share; (x_px, y_px) is the tile's corner in the window."""
    left, top = max(x_px, 0), max(y_px, 0)
    right = min(x_px + tile.shape[1], window.shape[1])
    bottom = min(y_px + tile.shape[0], window.shape[0])
    if right > left and bottom > top:
        window[top:bottom, left:right] = tile[
            top - y_px : bottom - y_px, left - x_px : right - x_px
        ]
