"""The nucleus raster of ``cells.zarr.zip``: exact where the boundary tables are simplified. Read chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from sthelar_build.errors import InputError
from sthelar_build.io.xenium.cells_zarr import NUCLEI, UNREADABLE, check_raster, check_store

_CACHE_BYTES = 256 * 2**20
"""Chunks are kept for the rows of patches that follow: a strip right across a large slide needs about 200 MB."""


class NucleusRaster:
    """Labels of nuclei on the pixels of the morphology image; several threads may read at once."""

    def __init__(self, path: Path, mask: Any) -> None:
        """Take the store's path, for messages, and its array ``masks/0``."""
        self._path, self._mask = path, mask
        self.shape: tuple[int, int] = tuple(mask.shape)
        """Rows and columns."""
        kept = max(1, _CACHE_BYTES // (4 * int(np.prod(mask.chunks))))
        self._chunk = lru_cache(kept)(self._read_chunk)

    def window(self, top: int, left: int, bottom: int, right: int) -> NDArray[np.uint32]:
        """Return the labels of rows ``top`` to ``bottom - 1``, columns alike; 0 beyond the raster, on any side."""
        found = np.zeros((bottom - top, right - left), dtype=np.uint32)
        height, width = self._mask.chunks
        first = max(top, 0), max(left, 0)
        stop = min(bottom, self.shape[0]), min(right, self.shape[1])
        if min(stop[0] - first[0], stop[1] - first[1]) <= 0:
            return found
        for row in range(first[0] // height, -(-stop[0] // height)):
            for column in range(first[1] // width, -(-stop[1] // width)):
                y, x = row * height, column * width
                rows = max(first[0], y), min(stop[0], y + height)
                columns = max(first[1], x), min(stop[1], x + width)
                found[rows[0] - top : rows[1] - top, columns[0] - left : columns[1] - left] = (
                    self._chunk(row, column)[
                        rows[0] - y : rows[1] - y, columns[0] - x : columns[1] - x
                    ]
                )
        return found

    def _read_chunk(self, row: int, column: int) -> NDArray[np.uint32]:
        try:
            return np.asarray(self._mask.blocks[row, column], dtype=np.uint32)
        except UNREADABLE as error:
            raise InputError(
                f"{self._path}: expected chunk {row}, {column} of masks/{NUCLEI}, found it broken ({error}); "
                "copy the file again from its source"
            ) from error


@contextmanager
def open_nucleus_raster(path: Path) -> Iterator[NucleusRaster]:
    """Open the nucleus raster of a cell store; InputError if the store is missing or broken, or has none."""
    check_store(path)
    with zarr.storage.ZipStore(path, mode="r") as store:
        yield NucleusRaster(path, _mask(path, store))


def _mask(path: Path, store: Any) -> Any:
    try:
        group = zarr.open_group(store, mode="r")
        mask = group.get(f"masks/{NUCLEI}")
    except UNREADABLE as error:
        raise InputError(
            f"{path}: expected a zipped zarr store, found a broken one; copy it again from its source"
        ) from error
    if mask is None or len(getattr(mask, "shape", ())) != 2 or mask.dtype.kind not in "ui":
        raise InputError(
            f"{path}: expected the nucleus raster masks/{NUCLEI} (rows, columns), found none; "
            "use rasterise.source: polygons"
        )
    if not min(*mask.shape, *mask.chunks):
        raise InputError(
            f"{path}: expected a raster with pixels, found masks/{NUCLEI} of shape {mask.shape} in chunks of "
            f"{mask.chunks}; copy the file again from its source"
        )
    check_raster(path, mask)
    return mask
