"""A Xenium bundle of any number of transcripts: a simulated one, laid again and again on a grid.

Positions and vertices are rounded to 1/256 um, which a float32 holds up to 65 mm: moved by whole um they stay exact, so a point is
in its cell, or not, in every copy and by every library. Transcripts are given to the cell and the nucleus whose outlines hold them,
and those on an outline, in two cells, or in a nucleus of another cell are left out: who goes by the vendor's ids and who goes by the
outlines counts the same.

Written as the instrument does: text of cells, genes and kinds on every row, row groups, snappy. One copy is in memory at a time.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse as sp
import shapely
import zarr

from sthelar_build.core.cell_ids import cell_id_strings
from sthelar_build.core.polygons import polygons_from_rings
from sthelar_build.core.simulation.slide import PIXEL_SIZE_UM
from sthelar_build.io.ome_tiff import write_ome_tiff

_PER_UM = 256
_ROWS_PER_GROUP = 2**18
_PLACE = ("x_location", "y_location")
_VERTEX = ("vertex_x", "vertex_y")
_UNASSIGNED = "UNASSIGNED"


@dataclass(frozen=True)
class Tile:
    """One copy: the tables of the simulated bundle, with rows of cells for ids."""

    folder: Path
    transcripts: pa.Table
    cell_rows: np.ndarray
    """(t,) the cell of every transcript; -1 for none."""
    cells: pa.Table
    boundaries: dict[str, tuple[pa.Table, np.ndarray]]
    """File name -> vertices and the row of the cell of each."""
    side_um: int


def write_tiled_bundle(source: Path, target: Path, n_transcripts: int, seed: int = 0) -> int:
    """Write a bundle of about as many transcripts, in whole copies of a bundle; return how many it has."""
    tile = _read_tile(source)
    n_tiles = max(1, round(n_transcripts / len(tile.cell_rows)))
    ids = _cell_ids(n_tiles * len(tile.cells), seed)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    _write_image(tile, target / "morphology_focus", n_tiles)
    _write_specification(tile, target, len(ids[1]))
    _write_store(target / "cells.zarr.zip", tile, ids[0], n_tiles)
    _write_matrix(target / "cell_feature_matrix.h5", tile, ids[1], n_tiles)
    _write(target / "cells.parquet", _copies(tile, n_tiles, ids[1], _cells_of))
    for name in tile.boundaries:
        _write(target / name, _copies(tile, n_tiles, ids[1], _boundaries_of(name)))
    _write(target / "transcripts.parquet", _copies(tile, n_tiles, ids[1], _transcripts_of))
    return n_tiles * len(tile.cell_rows)


def _read_tile(source: Path) -> Tile:
    cells = pq.read_table(source / "cells.parquet")
    row_of = {name: row for row, name in enumerate(cells["cell_id"].to_pylist())}
    boundaries = {}
    for name in ("cell_boundaries.parquet", "nucleus_boundaries.parquet"):
        table = _rounded(pq.read_table(source / name), _VERTEX)
        rows = np.array([row_of[cell] for cell in table["cell_id"].to_pylist()])
        boundaries[name] = table, rows
    transcripts = _rounded(pq.read_table(source / "transcripts.parquet"), _PLACE)
    points = shapely.points(np.column_stack([transcripts[name] for name in _PLACE]))
    cell, clear = _owners(points, *_polygons(*boundaries["cell_boundaries.parquet"]))
    of_nucleus, in_clear = _owners(points, *_polygons(*boundaries["nucleus_boundaries.parquet"]))
    kept = clear & in_clear & ((of_nucleus < 0) | (of_nucleus == cell))
    nuclear = pa.array((of_nucleus >= 0).astype(np.uint8))
    transcripts = _with(transcripts, overlaps_nucleus=nuclear)
    reach_um = max(
        float(np.max(table[name])) for table, _ in boundaries.values() for name in _VERTEX
    )
    reach_um = max(reach_um, *(float(np.max(transcripts[name])) for name in _PLACE))
    return Tile(source, transcripts.filter(kept), cell[kept], cells, boundaries, int(reach_um) + 2)


def _rounded(table: pa.Table, columns: tuple[str, ...]) -> pa.Table:
    for name in columns:
        exact = np.round(table[name].to_numpy().astype(np.float64) * _PER_UM) / _PER_UM
        table = table.set_column(
            table.column_names.index(name), name, pa.array(exact, pa.float32())
        )
    return table


def _polygons(table: pa.Table, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the polygons and the row of the cell of each."""
    label = table["label_id"].to_numpy()
    starts = np.flatnonzero(np.append(True, label[1:] != label[:-1]))
    vertices = np.column_stack([table[name].to_numpy().astype(np.float64) for name in _VERTEX])
    return polygons_from_rings(vertices, np.diff(np.append(starts, len(label)))), rows[starts]


def _owners(
    points: np.ndarray, polygons: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the row of the polygon of every point, -1 for none, and which points are in no doubt."""
    valid = shapely.is_valid(polygons)
    # Libraries differ on what is in a ring that crosses itself: its whole box is in doubt.
    shapes = np.where(valid, polygons, shapely.envelope(polygons))
    point, hit = shapely.STRtree(shapes).query(points, predicate="intersects")
    owner = np.full(len(points), -1)
    owner[point] = rows[hit]
    inside = shapely.contains_properly(shapes[hit], points[point]) & valid[hit]
    clear = np.bincount(point, minlength=len(points)) < 2
    clear[point[~inside]] = False
    return owner, clear


def _cell_ids(n: int, seed: int) -> tuple[np.ndarray, pa.Array]:
    """Return n sorted prefixes of the whole range, and the ids as text."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, 2**32, int(n * 1.01) + 100, dtype=np.uint32)
    prefix = np.sort(rng.permutation(np.unique(drawn))[:n])
    return prefix, pa.array(cell_id_strings(prefix, np.ones(n, int)), pa.string())


def _columns(n_tiles: int) -> int:
    return int(np.ceil(np.sqrt(n_tiles)))


def _copies(tile: Tile, n_tiles: int, ids: pa.Array, of: Any) -> Iterator[pa.Table]:
    columns = _columns(n_tiles)
    n_cells = len(tile.cells)
    for number in range(n_tiles):
        shift = np.array([number % columns, number // columns]) * tile.side_um
        own = pa.concat_arrays([ids.slice(number * n_cells, n_cells), pa.array([_UNASSIGNED])])
        yield of(tile, number, shift, own)


def _transcripts_of(tile: Tile, number: int, shift: np.ndarray, ids: pa.Array) -> pa.Table:
    table = _moved(tile.transcripts, _PLACE, shift)
    molecule = tile.transcripts["transcript_id"].to_numpy() + np.uint64(number << 36)
    return _with(
        table, cell_id=ids.take(pa.array(tile.cell_rows % len(ids))), transcript_id=molecule
    )


def _cells_of(tile: Tile, number: int, shift: np.ndarray, ids: pa.Array) -> pa.Table:
    table = _moved(tile.cells, ("x_centroid", "y_centroid"), shift)
    return _with(table, cell_id=ids.slice(0, len(tile.cells)))


def _boundaries_of(name: str) -> Any:
    def boundaries_of(tile: Tile, number: int, shift: np.ndarray, ids: pa.Array) -> pa.Table:
        vertices, rows = tile.boundaries[name]
        label = vertices["label_id"].to_numpy()
        table = _moved(vertices, _VERTEX, shift)
        return _with(table, cell_id=ids.take(pa.array(rows)), label_id=label + number * label.max())

    return boundaries_of


def _moved(table: pa.Table, columns: tuple[str, ...], shift: np.ndarray) -> pa.Table:
    moved = {
        name: table[name].to_numpy() + by for name, by in zip(columns, shift.tolist(), strict=True)
    }
    return _with(table, **moved)


def _with(table: pa.Table, **columns: Any) -> pa.Table:
    for name, values in columns.items():
        kind = table.schema.field(name).type
        array = values if isinstance(values, pa.Array) else pa.array(values, kind)
        table = table.set_column(table.column_names.index(name), name, array.cast(kind))
    return table


def _write(path: Path, tables: Iterator[pa.Table]) -> None:
    first = next(tables)
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_table(first, _ROWS_PER_GROUP)
        for table in tables:
            writer.write_table(table, _ROWS_PER_GROUP)


def _write_image(tile: Tile, folder: Path, n_tiles: int) -> None:
    """Write a dark image, as large as the section: coordinates must lie in it."""
    folder.mkdir()
    side_px = int(np.ceil(_columns(n_tiles) * tile.side_um / PIXEL_SIZE_UM))
    dark = np.broadcast_to(np.uint16(0), (side_px, side_px))
    path = folder / "morphology_focus_0000.ome.tif"
    write_ome_tiff(
        path, dark, PIXEL_SIZE_UM, channel_names=["DAPI"], compression="deflate", levels=1
    )


def _write_specification(tile: Tile, target: Path, n_cells: int) -> None:
    facts = json.loads((tile.folder / "experiment.xenium").read_text(encoding="utf-8"))
    text = json.dumps(facts | {"num_cells": n_cells}, indent=2)
    (target / "experiment.xenium").write_text(text, encoding="utf-8")


def _write_store(path: Path, tile: Tile, prefix: np.ndarray, n_tiles: int) -> None:
    """Write what readers of outlines ask of the store: ids, summary, owners of the polygons; no rasters."""
    with zarr.storage.ZipStore(tile.folder / path.name, mode="r") as file:
        old = zarr.open_group(file, mode="r")
        summary, names = old["cell_summary"][:], old["cell_summary"].attrs["column_names"]
    with zarr.storage.ZipStore(path, mode="w", compression=zipfile.ZIP_STORED) as file:
        new = zarr.open_group(file, mode="w", zarr_format=2)
        ids = np.column_stack([prefix, np.ones(len(prefix), np.uint32)])
        new.create_array("cell_id", data=ids.astype(np.uint32))
        tiled = np.tile(summary, (n_tiles, 1))
        new.create_array("cell_summary", data=tiled, attributes={"column_names": names})
        for index, kind in enumerate(("nucleus", "cell")):
            _, rows = _polygons(*tile.boundaries[f"{kind}_boundaries.parquet"])
            all_rows = rows + np.arange(n_tiles)[:, None] * len(tile.cells)
            group = new.create_group(f"polygon_sets/{index}")
            group.create_array("cell_index", data=all_rows.ravel().astype(np.uint32))


def _write_matrix(path: Path, tile: Tile, ids: pa.Array, n_tiles: int) -> None:
    """Write the vendor's counts, which are ours and everybody's: assigned, of quality 20 or more."""
    with h5py.File(tile.folder / path.name, "r") as old, h5py.File(path, "w") as new:
        old.copy("matrix/features", new.create_group("matrix"))
        names = old["matrix/features/name"].asstr()[:].tolist()
        column_of = {name: column for column, name in enumerate(names)}
        columns = np.array([column_of[n] for n in tile.transcripts["feature_name"].to_pylist()])
        good = (tile.transcripts["qv"].to_numpy() >= 20) & (tile.cell_rows >= 0)
        shape = (len(tile.cells), len(names))
        pairs = tile.cell_rows[good], columns[good]
        one = sp.csr_matrix((np.ones(good.sum(), np.int32), pairs), shape=shape)
        counts = sp.vstack([one] * n_tiles, format="csr")
        for name, values in {
            "barcodes": np.array(ids.to_pylist(), dtype=np.bytes_),
            "data": counts.data,
            "indices": counts.indices.astype(np.int64),
            "indptr": counts.indptr.astype(np.int64),
            "shape": np.array(counts.shape[::-1], np.int32),
        }.items():
            new["matrix"].create_dataset(name, data=values)
