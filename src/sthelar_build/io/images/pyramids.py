"""Image pyramids as lazy arrays: every level that a file stores, block by block, never a level in memory."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
from numpy.typing import NDArray
from tifffile import TiffFile, TiffFileError

from sthelar_build.errors import InputError
from sthelar_build.io.images.he import open_he
from sthelar_build.io.images.tiff_directories import check_directories
from sthelar_build.io.images.tiff_windows import TiffLevel, TileCache
from sthelar_build.io.xenium.bundle import FOCUS_FOLDER

_BLOCK_PX = 2048
"""Side of the blocks that are read at once: every tile is decoded about once, and few tasks are made."""
_CACHE_BYTES = 2**28

Read = Callable[[int, int, int, int], NDArray[Any]]
"""Reads a window (height, width, channels) from x_px, y_px, width_px, height_px."""


@dataclass(frozen=True, eq=False)
class _Windows:
    """One level, as dask wants to see it: a shape (c, y, x), a dtype, and slices."""

    read: Read
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    ndim: int = 3

    def __getitem__(self, window: tuple[slice, slice, slice]) -> NDArray[Any]:
        _, rows, columns = window
        width, height = columns.stop - columns.start, rows.stop - rows.start
        return np.moveaxis(self.read(columns.start, rows.start, width, height), 2, 0)


@contextmanager
def open_he_pyramid(path: Path, chunk_px: int) -> Iterator[list[da.Array]]:
    """Yield the levels of an H&E, largest first, as lazy uint8 arrays (3, y, x) while the file is open.

    The pixels are those that ``open_he`` gives. Chunks have all channels and side ``chunk_px``, an
    even number. Levels are taken as they are stored; below the smallest, levels are added by
    averaging 2 x 2 pixels, halves rounded up, until a chunk holds one: there are always two or more.
    """
    with open_he(path, _CACHE_BYTES) as image:
        levels = [
            _lazy(
                partial(image.read, level=number),
                (3, level.height_px, level.width_px),
                np.dtype(np.uint8),
            )
            for number, level in enumerate(image.levels)
        ]
        yield _completed([_rechunked(level, 3, chunk_px) for level in levels], 3, chunk_px)


@contextmanager
def open_morphology_pyramid(paths: Sequence[Path], chunk_px: int) -> Iterator[list[da.Array]]:
    """Yield the levels of a morphology image in the same way; one channel per chunk.

    ``paths`` are one file per channel, in channel order; the first page of each is read, with its
    SubIFDs. Links from file to file (multi-file OME) are not followed.
    """
    with ExitStack() as files:
        channels = [_channel_levels(path, files) for path in paths]
        _check_same_shapes(paths, channels)
        levels = [da.concatenate(parts) for parts in zip(*channels, strict=True)]
        yield _completed([_rechunked(level, 1, chunk_px) for level in levels], 1, chunk_px)


def morphology_files(dapi: Path) -> list[Path]:
    """Return the files of all channels, in channel order, that go with the DAPI file of a bundle.

    InputError if there is none.
    """
    if dapi.parent.name != FOCUS_FOLDER:
        files = [dapi] if dapi.is_file() else []
    else:
        files = sorted(p for p in dapi.parent.glob("*.ome.tif") if not p.name.startswith("."))
    if not files:
        raise InputError(
            f"{dapi}: expected the morphology image that bundle.json names, found none; ingest the bundle again"
        )
    return files


def _channel_levels(path: Path, files: ExitStack) -> list[da.Array]:
    try:
        check_directories(path)
        file = files.enter_context(TiffFile(path, is_ome=False))
        first = file.pages[0]
        pages = [first, *(first.pages or [])]
    except (OSError, TiffFileError, struct.error, ValueError, IndexError) as error:
        raise InputError(
            f"{path}: expected a morphology image, found none that can be read; "
            "copy the bundle again from its source"
        ) from error
    cache = TileCache(_CACHE_BYTES)
    levels = [TiffLevel(path, file, [page], cache) for page in pages]
    return [_lazy(lv.read, (lv.channels, lv.height_px, lv.width_px), lv.dtype) for lv in levels]


def _check_same_shapes(paths: Sequence[Path], channels: Sequence[Sequence[da.Array]]) -> None:
    expected = [level.shape[1:] for level in channels[0]]
    for path, levels in zip(paths, channels, strict=True):
        found = [level.shape[1:] for level in levels]
        if found != expected:
            raise InputError(
                f"{path}: expected levels (y, x) of {expected} px as in {paths[0].name}, found {found}; "
                "use the channel files of one bundle"
            )


def _lazy(read: Read, shape: tuple[int, int, int], dtype: np.dtype[Any]) -> da.Array:
    windows = _Windows(read, shape, dtype)
    return da.from_array(
        windows, chunks=(shape[0], _BLOCK_PX, _BLOCK_PX), name=False, asarray=False
    )


def _completed(levels: list[da.Array], channels: int, chunk_px: int) -> list[da.Array]:
    """Add halved levels until one chunk holds the last, which is not the first."""
    levels = list(levels)
    while (len(levels) == 1 or max(levels[-1].shape) > chunk_px) and min(levels[-1].shape[1:]) > 1:
        levels.append(_rechunked(_halved(levels[-1]), channels, chunk_px))
    return levels


def _halved(level: da.Array) -> da.Array:
    _, height, width = level.shape
    even = level[:, : height // 2 * 2, : width // 2 * 2]
    return da.floor(da.coarsen(np.mean, even, {1: 2, 2: 2}) + 0.5).astype(level.dtype)


def _rechunked(level: da.Array, channels: int, chunk_px: int) -> da.Array:
    return level.rechunk((channels, chunk_px, chunk_px))
