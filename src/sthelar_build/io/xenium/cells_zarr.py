"""``cells.zarr.zip``: where nuclei are told apart that the boundary tables of early 2.0.0 bundles run together."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.features
import zarr
from numpy.typing import NDArray
from shapely.geometry import shape

from sthelar_build.core.polygons import Geometries, polygons_from_rings, unite
from sthelar_build.errors import InputError
from sthelar_build.io.foreign_zips import BROKEN, foreign_zip

NUCLEI = "0"
"""Name of the nuclei among the polygon sets and the masks; the cells are 1."""

UNREADABLE = (
    *BROKEN,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    MemoryError,
    ZeroDivisionError,
)
"""What zarr raises on a store whose metadata or chunks are damaged."""
_BAND_ROWS = 1024
_MOST_BYTES = 2**32
"""The largest member of a store: a chunk of a raster, or the outlines of a million cells."""
_MOST_SIDE_PX = 2**18
"""56 mm of a raster; the instrument sees 24 mm."""


def nuclei_of(path: Path, pixel_size_um: float) -> tuple[NDArray[np.int64], Geometries]:
    """Return the nuclei of a bundle from its cell store.

    They come from the polygon set of the nuclei; where that has no vertices, they are traced in
    the nucleus mask, along pixel edges.

    Parameters
    ----------
    path
        ``cells.zarr.zip`` of a bundle of version 2.0.0 or later.
    pixel_size_um
        Size of a pixel of the masks.

    Returns
    -------
    (n,) row of the owning cell, and (n,) polygons in um, both in the order of the store.

    Raises
    ------
    InputError
        If the store is missing or broken, or does not tell nuclei apart.
    """
    with opened(path) as store:
        if f"polygon_sets/{NUCLEI}/cell_index" not in store:
            raise InputError(
                f"{path}: expected polygon_sets/{NUCLEI}/cell_index, found none: nuclei of one cell cannot be "
                "told apart; run xeniumranger relabel or resegment on the bundle"
            )
        nuclei = store[f"polygon_sets/{NUCLEI}"]
        cell_rows = _whole(path, nuclei["cell_index"]).astype(np.int64)
        if "vertices" in nuclei and "num_vertices" in nuclei:
            counts = _whole(path, nuclei["num_vertices"])
            return cell_rows, _from_vertices(_whole(path, nuclei["vertices"]), counts)
        mask = store[f"masks/{NUCLEI}"]
        check_raster(path, mask)
        return cell_rows, _traced(mask, pixel_size_um, len(cell_rows))


def raster_values(path: Path, n_cells: int) -> NDArray[np.uint32]:
    """Return the value of every cell (n_cells,) in the rasters of a 1.x bundle: ``seg_mask_value``, else 1, 2, ...

    InputError if the store is broken, or is of other cells.
    """
    with opened(path) as store:
        if "seg_mask_value" not in store:
            return np.arange(1, n_cells + 1, dtype=np.uint32)
        values = _whole(path, store["seg_mask_value"]).astype(np.uint32)
    if len(values) != n_cells:
        raise InputError(
            f"{path}: expected seg_mask_value of the {n_cells} cells of the bundle, found {len(values)}; "
            "copy all files from the same run"
        )
    return values


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open the store as a zarr group; InputError if it is missing or broken."""
    check_store(path)
    try:
        with zarr.storage.ZipStore(path, mode="r") as store:
            yield zarr.open_group(store, mode="r")
    except UNREADABLE as error:
        raise _broken(path) from error


def check_store(path: Path) -> None:
    """Raise InputError unless the file is there and is a zip."""
    if not path.is_file():
        raise InputError(
            f"{path}: expected the cell store of the bundle, found nothing; copy the bundle whole"
        )
    if not zipfile.is_zipfile(path):
        raise _broken(path)
    with foreign_zip(path, _MOST_BYTES):
        pass


def check_raster(path: Path, mask: Any) -> None:
    """Raise InputError if a raster declares a size that no slide has; a store may declare anything."""
    if max(mask.shape) > _MOST_SIDE_PX or _chunk_bytes(mask) > _MOST_BYTES:
        raise _absurd(path, mask)


def _whole(path: Path, array: Any) -> NDArray[Any]:
    """Read an array; InputError if what it declares would fill the memory."""
    if max(array.nbytes, _chunk_bytes(array)) > _MOST_BYTES:
        raise _absurd(path, array)
    return np.asarray(array[:])


def _chunk_bytes(array: Any) -> int:
    return int(math.prod(array.chunks) * array.dtype.itemsize)


def _absurd(path: Path, array: Any) -> InputError:
    return InputError(
        f"{path}: expected an array of a slide, found {array.path} of shape {array.shape} in chunks of {array.chunks}; "
        "copy the file again from its source"
    )


def _broken(path: Path) -> InputError:
    return InputError(
        f"{path}: expected a zipped zarr store, found a broken one; copy it again from its source"
    )


def _from_vertices(vertices: NDArray[np.float32], number: NDArray[np.integer[Any]]) -> Geometries:
    """Rows of ``vertices`` hold x, y, x, y, ...; only the first ``number`` pairs count."""
    pairs = vertices.reshape(len(vertices), -1, 2)
    counts = np.arange(pairs.shape[1]) < number[:, None]
    return polygons_from_rings(pairs[counts].astype(np.float64), number.astype(np.int64))


def _traced(mask: Any, pixel_size_um: float, n_nuclei: int) -> Geometries:
    """Trace the outline of every label 1..n, band by band of rows; None where a label is absent."""
    rows: list[int] = []
    parts: list[Any] = []
    for top_px in range(0, mask.shape[0], _BAND_ROWS):
        band = np.asarray(mask[top_px : top_px + _BAND_ROWS]).astype(np.int32)
        grid = rasterio.Affine(pixel_size_um, 0, 0, 0, pixel_size_um, top_px * pixel_size_um)
        for outline, label in rasterio.features.shapes(band, mask=band > 0, transform=grid):
            rows.append(int(label) - 1)
            parts.append(shape(outline))
    return unite(np.array(rows, dtype=np.int64), np.array(parts, dtype=object), n_nuclei)
