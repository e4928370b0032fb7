"""The chunks of an array of maps, one zstd frame a file, as the zarr v3 format lays them out.

The array is any zarr reader's. For a stage that goes through all of it with several threads, these few lines take a
third of the time of the library, whose every chunk passes through one event loop and three buffers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import imagecodecs
import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import ZstdCodec

from sthelar_build.errors import InputError

Maps = NDArray[np.uint32]

_ZSTD_LEVEL = 1
_MOST_COLUMNS = 32
"""Neighbours that are compressed together: they are mostly read together, and few files are read faster."""


@dataclass(frozen=True)
class MapChunks:
    """An array (rows, columns, side, side) of uint32 on disk, in chunks (1, n, side, side); threads may share it."""

    folder: Path
    array: Any
    """What zarr makes of the folder."""

    @classmethod
    def create(cls, folder: Path, rows: int, columns: int, side_px: int) -> Self:
        """Make an array of zeros, named (grid_row, grid_column, y, x)."""
        array = zarr.create_array(
            folder,
            shape=(rows, columns, side_px, side_px),
            chunks=(1, max(1, min(columns, _MOST_COLUMNS)), side_px, side_px),
            dtype="uint32",
            compressors=ZstdCodec(level=_ZSTD_LEVEL),
            fill_value=0,
            dimension_names=("grid_row", "grid_column", "y", "x"),
        )
        return cls(folder, array)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open an array; ValueError if it is laid out otherwise, and what zarr raises if it is none."""
        array = zarr.open_array(folder, mode="r")
        codecs = [type(codec) for codec in array.compressors]
        if array.shards or array.dtype != "uint32" or codecs != [ZstdCodec]:
            raise ValueError(
                f"{folder}: expected uint32 in chunks of one zstd frame, without shards"
            )
        return cls(folder, array)

    @classmethod
    def of_grid(cls, folder: Path, n_patches: int, side_px: int, stage: str) -> Self:
        """Open the array of a grid of patches; InputError, naming the stage that makes it, if it is none or another."""
        try:
            chunks = cls.open(folder)
        except (OSError, ValueError, KeyError) as error:
            raise InputError(
                f"{folder}: expected a zarr array, found none that can be read; make it again with {stage}"
            ) from error
        rows, columns, *sides = chunks.array.shape
        if (rows * columns, sides) != (n_patches, [side_px] * 2):
            raise InputError(
                f"{folder}: expected {n_patches} patches of {side_px} px as the manifest says, found an array "
                f"{chunks.array.shape}; make it again with {stage}"
            )
        return chunks

    @cached_property
    def columns(self) -> int:
        """Columns of a chunk."""
        return int(self.array.chunks[1])

    def write_row(self, row: int, maps: Maps) -> None:
        """Write the first maps (n, side, side) of a row; the others stay zero, and chunks of zeros have no file."""
        for first in range(0, len(maps), self.columns):
            self.write(row, first // self.columns, maps[first : first + self.columns])

    def write(self, row: int, chunk: int, maps: Maps) -> Path | None:
        """Write the first maps of a chunk, the others stay zero; return its file, None as a chunk of zeros has none."""
        if not maps.any():
            return None
        if len(maps) < self.columns:
            maps = np.concatenate([maps, self._zeros(self.columns - len(maps))])
        path = self._path(row, chunk)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Typed as bytes, but the codec takes any buffer.
        values: Any = np.ascontiguousarray(maps, dtype="<u4")
        path.write_bytes(imagecodecs.zstd_encode(values, level=_ZSTD_LEVEL))
        return path

    def read(self, row: int, chunk: int) -> Maps:
        """Return a chunk (n, side, side); InputError if it cannot be decoded."""
        path = self._path(row, chunk)
        maps = self._zeros(self.columns)
        content: Any = maps.reshape(-1).view(np.uint8)
        try:
            n_bytes = len(imagecodecs.zstd_decode(path.read_bytes(), out=content))
        except FileNotFoundError:
            return maps
        except (imagecodecs.ZstdError, ValueError):
            n_bytes = 0
        if n_bytes != maps.nbytes:
            raise InputError(
                f"{path}: expected a zstd frame of {maps.nbytes} bytes, found {n_bytes}; make the folder again"
            )
        return maps

    def between(self, start: int, stop: int) -> Iterator[Maps]:
        """Yield the maps ``start`` to ``stop - 1``, counted row by row, in runs (n, side, side) of one chunk each."""
        n_rows, in_row = self.array.shape[:2]
        if not 0 <= start <= stop <= n_rows * in_row:
            raise IndexError(f"patches {start} to {stop} of {n_rows * in_row}")
        while start < stop:
            row, column = divmod(start, in_row)
            chunk, first = divmod(column, self.columns)
            step = min(self.columns - first, in_row - column, stop - start)
            yield self.read(row, chunk)[first : first + step]
            start += step

    def _zeros(self, n: int) -> Maps:
        return np.zeros((n, *self.array.shape[2:]), dtype="<u4")

    def _path(self, row: int, chunk: int) -> Path:
        return self.folder / "c" / str(row) / str(chunk) / "0" / "0"
