"""A pyramid of JPEG tiles as files, for pages that show a small part of a large image at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Protocol

import numpy as np

from sthelar_build.core.image_pyramid import Pixels, TileLevel, halved, tile_levels
from sthelar_build.io.jpeg import write_jpeg
from sthelar_build.io.progress import progress
from sthelar_build.io.workers import map_threads

_KEPT_TILES = 64
"""So many tiles of one level may be in memory; what is below them is made by threads, what is above by one."""

Place = tuple[int, int]
"""Column and row of a tile."""


class TileSource(Protocol):
    """An image of any size that is read in windows; threads may share it."""

    @property
    def width_px(self) -> int:
        """Width of the image."""

    @property
    def height_px(self) -> int:
        """Height of the image."""

    def read(self, left_px: int, top_px: int, width_px: int, height_px: int) -> Pixels:
        """Return a window inside the image: (height_px, width_px) or (height_px, width_px, 3), uint8."""


def tile_name(level: int, column: int, row: int) -> str:
    """Return the name of the file of a tile; level 0 is the finest."""
    return f"{level}_{column}_{row}.jpg"


def write_tiles(
    folder: Path, source: TileSource, tile_px: int, quality: int, threads: int
) -> tuple[TileLevel, ...]:
    """Write all tiles of an image, and return its levels, finest first. The caller publishes the folder.

    Every window of ``source`` is read once; few tiles are in memory at a time.
    """
    folder.mkdir()
    levels = tile_levels(source.width_px, source.height_px, tile_px)
    shared = next(n for n, lv in enumerate(levels) if lv.columns * lv.rows <= _KEPT_TILES)
    places = _places(levels[shared])
    below = _Pyramid(folder, source, levels, tile_px, quality)
    made = map_threads(lambda place: below.tile(shared, *place), places, threads)
    kept = dict(zip(places, progress(made, folder.name, len(places)), strict=True))
    above = _Pyramid(folder, source, levels, tile_px, quality, shared, kept)
    above.tile(len(levels) - 1, 0, 0)
    return levels


def _places(level: TileLevel) -> list[Place]:
    return [(column, row) for row, column in product(range(level.rows), range(level.columns))]


class _Pyramid:
    """Makes a tile of its four tiles below, down to the source or to the tiles that are there already."""

    def __init__(
        self,
        folder: Path,
        source: TileSource,
        levels: tuple[TileLevel, ...],
        tile_px: int,
        quality: int,
        known_level: int = -1,
        known: dict[Place, Pixels] | None = None,
    ) -> None:
        self._folder, self._source, self._levels = folder, source, levels
        self._tile_px, self._quality = tile_px, quality
        self._known_level, self._known = known_level, known or {}

    def tile(self, level: int, column: int, row: int) -> Pixels:
        """Write a tile and all below it; return its pixels."""
        if level == self._known_level:
            return self._known[column, row]
        pixels = self._read(column, row) if level == 0 else self._of_four(level, column, row)
        write_jpeg(self._folder / tile_name(level, column, row), pixels, self._quality)
        return pixels

    def _read(self, column: int, row: int) -> Pixels:
        side, level = self._tile_px, self._levels[0]
        left, top = column * side, row * side
        width, height = min(side, level.width_px - left), min(side, level.height_px - top)
        return self._source.read(left, top, width, height)

    def _of_four(self, level: int, column: int, row: int) -> Pixels:
        below = self._levels[level - 1]
        rows = [
            np.concatenate([self.tile(level - 1, c, r) for c in _pair(column, below.columns)], 1)
            for r in _pair(row, below.rows)
        ]
        return halved(np.concatenate(rows))


def _pair(number: int, n: int) -> Iterator[int]:
    """Yield the places of the level below, along one axis."""
    yield from range(2 * number, min(2 * number + 2, n))
