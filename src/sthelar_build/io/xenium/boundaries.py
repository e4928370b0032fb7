"""Outlines of nuclei and cells of a Xenium bundle as polygons, one per nucleus and one per cell, whatever the version."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from numpy.typing import NDArray

from sthelar_build.core.polygons import Geometries, polygons_from_rings
from sthelar_build.errors import InputError
from sthelar_build.io.xenium.bundle import (
    CELL_BOUNDARIES,
    CELLS_ZARR,
    COLUMNS,
    LABEL_ID,
    NUCLEUS_BOUNDARIES,
    Layout,
    XeniumBundle,
)
from sthelar_build.io.xenium.sound import check_filled, check_numbers
from sthelar_build.io.xenium.sources import column_names, read_columns
from sthelar_build.io.xenium.tables import as_text

logger = logging.getLogger(__name__)

_ONE_NUCLEUS_PER_CELL: tuple[Layout, ...] = ("1.0", "1.3")


@dataclass(frozen=True)
class Outlines:
    """Polygons as the bundle shows them, valid or not, in um and in the order of the bundle."""

    cell_ids: NDArray[Any]
    """(n,) text: the owning cell of each."""
    polygons: Geometries
    """(n,) polygons; None where the ring has fewer than three corners."""
    raster_labels: NDArray[np.uint32] | None = None
    """(n,) value of each in its raster (``masks`` of ``cells.zarr.zip``), where the bundle tells."""


def read_cell_outlines(bundle: XeniumBundle) -> Outlines | None:
    """Return the outlines of the cells; None if the bundle has no cell boundaries."""
    if not bundle.has(CELL_BOUNDARIES):
        logger.warning("%s: no %s; cells stay without outline", bundle.folder, CELL_BOUNDARIES)
        return None
    return _read_rings(bundle.path(CELL_BOUNDARIES))


def read_nucleus_outlines(bundle: XeniumBundle, cell_ids: NDArray[Any]) -> Outlines:
    """Return the outlines of the nuclei; a cell may own none, one, or several.

    Until 2.0.0 a cell owns one nucleus at most, so a ring is told by its cell; later tables number
    the nuclei (``label_id``). The first 2.0.0 builds do neither, and run the rings of one cell
    together: there the nuclei come from ``cells.zarr.zip``.

    Parameters
    ----------
    bundle
        The bundle.
    cell_ids
        (n_cells,) text, in the order of the bundle.
    """
    path = bundle.path(NUCLEUS_BOUNDARIES)
    if LABEL_ID in column_names(path):
        return _read_rings(path)
    if bundle.layout in _ONE_NUCLEUS_PER_CELL:
        outlines = _read_rings(path)
        rows = pd.Index(cell_ids).get_indexer(pd.Index(outlines.cell_ids))
        return replace(outlines, raster_labels=_label_of_row(bundle, len(cell_ids))[rows])
    logger.info("%s does not tell nuclei apart; reading them from %s", path, CELLS_ZARR)
    rows, polygons = _nuclei_of_store(bundle)
    if len(rows) and rows.max() >= len(cell_ids):
        raise InputError(
            f"{bundle.path(CELLS_ZARR)}: expected the {len(cell_ids)} cells of the bundle, found one "
            f"numbered {rows.max()}; copy all files from the same run"
        )
    in_order = np.arange(1, len(rows) + 1, dtype=np.uint32)
    return Outlines(cell_ids=cell_ids[rows], polygons=polygons, raster_labels=in_order)


def n_nuclei(bundle: XeniumBundle) -> int:
    """Return the number of nucleus outlines, without building them."""
    path = bundle.path(NUCLEUS_BOUNDARIES)
    numbered = LABEL_ID in column_names(path)
    if not numbered and bundle.layout not in _ONE_NUCLEUS_PER_CELL:
        return len(_nuclei_of_store(bundle)[0])
    key = LABEL_ID if numbered else "cell_id"
    return int(pc.count_distinct(read_columns(path, [key])[key]).as_py())


def _nuclei_of_store(bundle: XeniumBundle) -> tuple[NDArray[np.int64], Geometries]:
    # Few bundles need zarr and rasterio, which take a second to load.
    from sthelar_build.io.xenium.cells_zarr import nuclei_of

    return nuclei_of(bundle.path(CELLS_ZARR), bundle.pixel_size_um)


def _label_of_row(bundle: XeniumBundle, n_cells: int) -> NDArray[np.uint32]:
    """Return the value of every cell in the rasters of a 1.x bundle: its row + 1, unless the store says otherwise."""
    if not bundle.has(CELLS_ZARR):
        return np.arange(1, n_cells + 1, dtype=np.uint32)
    from sthelar_build.io.xenium.cells_zarr import raster_values

    return raster_values(bundle.path(CELLS_ZARR), n_cells)


def _read_rings(path: Path) -> Outlines:
    columns = list(COLUMNS[NUCLEUS_BOUNDARIES])
    numbered = LABEL_ID in column_names(path)
    table = read_columns(path, [*columns, *([LABEL_ID] if numbered else [])], ["cell_id"])
    check_filled(path, table, ["cell_id", *([LABEL_ID] if numbered else [])])
    check_numbers(path, table, ["vertex_x", "vertex_y"])
    cell = table["cell_id"].unify_dictionaries().combine_chunks()
    if not hasattr(cell, "dictionary"):
        cell = cell.dictionary_encode()
    owner = cell.indices.to_numpy()
    start = _ring_starts(path, table[LABEL_ID].to_numpy() if numbered else owner)
    lengths = np.diff(np.append(start, len(owner)))
    vertices = np.column_stack([table["vertex_x"].to_numpy(), table["vertex_y"].to_numpy()])
    names = as_text(cell.dictionary).to_numpy(zero_copy_only=False)
    return Outlines(
        cell_ids=names[owner[start]],
        polygons=polygons_from_rings(vertices, lengths),
        raster_labels=table[LABEL_ID].to_numpy()[start].astype(np.uint32) if numbered else None,
    )


def _ring_starts(path: Path, ring: NDArray[Any]) -> NDArray[np.int64]:
    """Return where rings begin; all vertices of a ring follow each other."""
    changes = np.flatnonzero(ring[1:] != ring[:-1]) + 1
    starts = np.concatenate([[0], changes])[: len(ring)]
    if len(np.unique(ring[starts])) != len(starts):
        raise InputError(
            f"{path}: expected the vertices of an outline one after the other, found some elsewhere; "
            "copy the file again from its source"
        )
    return starts
