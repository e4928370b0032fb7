"""The tables of a written Xenium bundle: matrix, cells, boundaries."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import geopandas
import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray
from scipy import sparse

from sthelar_build.core.simulation.mosaic import Mosaic, Part
from sthelar_build.core.simulation.slide import GENE_CATEGORIES, SimulatedSlide
from sthelar_build.core.simulation.versions import Traits
from sthelar_build.io.xenium.bundle import CELL_BOUNDARIES, CELLS, NUCLEUS_BOUNDARIES, UNASSIGNED

MIN_QV = 20
"""Transcripts of lower quality are not in the matrix of the vendor."""
_GROWING: dict[str, Any] = {"maxshape": (None,), "chunks": (65_536,)}
_FEATURE_TYPE = {
    "predesigned_gene": "Gene Expression",
    "custom_gene": "Gene Expression",
    "negative_control_probe": "Negative Control Probe",
    "negative_control_codeword": "Negative Control Codeword",
    "unassigned_codeword": "Unassigned Codeword",
    "deprecated_codeword": "Deprecated Codeword",
    "genomic_control_probe": "Genomic Control",
}
_COUNT_COLUMN = {
    "transcript_counts": GENE_CATEGORIES,
    "control_probe_counts": ("negative_control_probe",),
    "genomic_control_counts": ("genomic_control_probe",),
    "control_codeword_counts": ("negative_control_codeword",),
    "unassigned_codeword_counts": ("unassigned_codeword",),
    "deprecated_codeword_counts": ("deprecated_codeword",),
}


def matrix_of(slide: SimulatedSlide) -> sparse.csr_matrix:
    """Return the vendor's counts, int32 (cells, features): assigned transcripts of quality 20 or more."""
    transcripts = slide.transcripts
    counted = (transcripts["qv"] >= MIN_QV) & (transcripts["cell_row"] >= 0)
    rows = transcripts["cell_row"].to_numpy()[counted]
    columns = transcripts["codeword_index"].to_numpy()[counted]
    ones = np.ones(len(rows), dtype=np.int32)
    shape = (len(slide.cells), len(slide.features))
    return sparse.coo_matrix((ones, (rows, columns)), shape=shape).tocsr()


def write_matrix(path: Path, mosaic: Mosaic, traits: Traits) -> None:
    """Write ``cell_feature_matrix.h5``: 10x's columns are cells, so CSR by cell is its CSC."""
    features = mosaic.features
    kinds = features["category"].map(_FEATURE_TYPE)
    if traits.bytes_for_text:
        kinds = kinds.replace("Unassigned Codeword", "Blank Codeword")
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        _write_counts(group, mosaic)
        for name, values in {
            "shape": np.array([len(features), mosaic.sizes.cells], dtype=np.int32),
            "features/id": _bytes(features["id"]),
            "features/name": _bytes(features["name"]),
            "features/feature_type": _bytes(kinds),
            "features/genome": _bytes(pd.Series("Unknown", index=features.index)),
            "features/_all_tag_keys": _bytes(pd.Series(["genome"])),
        }.items():
            group.create_dataset(name, data=values, compression="gzip")


def _write_counts(group: h5py.Group, mosaic: Mosaic) -> None:
    n_cells = mosaic.sizes.cells
    n_values = _n_values(mosaic)
    sizes = {
        "barcodes": ((n_cells,), f"S{_longest_id(mosaic)}"),
        "data": (n_values, np.int32),
        "indices": (n_values, np.int64),
        "indptr": ((n_cells + 1,), np.int64),
    }
    into = {
        name: group.create_dataset(
            name, size or (0,), dtype, compression="gzip", **({} if size else _GROWING)
        )
        for name, (size, dtype) in sizes.items()
    }
    into["indptr"][0] = 0
    start = 0
    for part in mosaic.parts():
        matrix = matrix_of(part.slide)
        cells = slice(part.first.cells, part.first.cells + matrix.shape[0])
        values = slice(start, start + matrix.nnz)
        into["barcodes"][cells] = _bytes(part.slide.cells["cell_id"])
        for name, numbers in (("data", matrix.data), ("indices", matrix.indices)):
            if n_values is None:
                into[name].resize(values.stop, axis=0)
            into[name][values] = numbers
        into["indptr"][cells.start + 1 : cells.stop + 1] = start + matrix.indptr[1:].astype(
            np.int64
        )
        start += matrix.nnz


def _n_values(mosaic: Mosaic) -> tuple[int] | None:
    """Return how many counts are not 0; None where it shows only once all parts are drawn."""
    return (matrix_of(mosaic.blocks[0]).nnz,) if mosaic.is_slide else None


def _longest_id(mosaic: Mosaic) -> int:
    if mosaic.numbered:
        return len(str(mosaic.sizes.cells))
    return max(1, *(len(name) for block in mosaic.blocks for name in block.cells["cell_id"]))


def write_cells(folder: Path, mosaic: Mosaic, traits: Traits) -> None:
    """Write ``cells.parquet`` and its csv twin, in the order of the matrix."""
    parts = (_cells_of(part, traits) for part in mosaic.parts(molecules=False))
    _write_twins(folder / CELLS, parts, twin=mosaic.is_slide)


def _cells_of(part: Part, traits: Traits) -> pa.Table:
    slide, matrix = part.slide, matrix_of(part.slide)
    centroid = slide.cells.centroid
    category = slide.features["category"]
    counts = {
        name: np.asarray(matrix[:, np.flatnonzero(category.isin(kinds))].sum(axis=1)).ravel()
        for name, kinds in _COUNT_COLUMN.items()
        if name != "genomic_control_counts" or traits.categories
    }
    by_cell = slide.nuclei.area.groupby(slide.nuclei["cell_row"])
    rows = range(len(slide.cells))
    columns: dict[str, Any] = {
        "cell_id": cell_ids(part, np.arange(len(slide.cells)), traits),
        "x_centroid": centroid.x.to_numpy(),
        "y_centroid": centroid.y.to_numpy(),
        **{name: values.astype(np.uint64) for name, values in counts.items()},
        "total_counts": np.sum(list(counts.values()), axis=0).astype(np.uint64),
        "cell_area": slide.cells.area.to_numpy(),
        "nucleus_area": pa.array(by_cell.sum().reindex(rows), from_pandas=True),
    }
    if traits.polygon_sets:
        columns["nucleus_count"] = by_cell.size().reindex(rows, fill_value=0).to_numpy(np.uint32)
        columns["segmentation_method"] = text(slide.cells["segmentation_method"], traits)
    return pa.table(columns)


def write_boundaries(folder: Path, mosaic: Mosaic, traits: Traits) -> None:
    """Write the vertex tables of nuclei (the rings that the bundle shows) and cells, with csv twins."""
    for name, of in ((NUCLEUS_BOUNDARIES, _nuclei_of), (CELL_BOUNDARIES, _outlines_of)):
        parts = (of(part, traits) for part in mosaic.parts(molecules=False))
        _write_twins(folder / name, parts, twin=mosaic.is_slide)


def _nuclei_of(part: Part, traits: Traits) -> pa.Table:
    owner = part.slide.nuclei["cell_row"].to_numpy()
    return _vertices(part, owner, nucleus_rings(part.slide), part.first.nuclei, traits)


def _outlines_of(part: Part, traits: Traits) -> pa.Table:
    cells = part.slide.cells
    return _vertices(part, np.arange(len(cells)), cell_rings(cells), part.first.cells, traits)


def _vertices(
    part: Part,
    owner: NDArray[np.int64],
    rings: list[NDArray[np.float64]],
    n_before: int,
    traits: Traits,
) -> pa.Table:
    lengths = [len(ring) for ring in rings]
    vertices = np.concatenate([*rings, np.empty((0, 2))]).astype(np.float32)
    columns: dict[str, Any] = {
        "cell_id": cell_ids(part, np.repeat(owner, lengths), traits),
        "vertex_x": vertices[:, 0],
        "vertex_y": vertices[:, 1],
    }
    if traits.polygon_sets:
        labels = n_before + np.arange(1, len(rings) + 1, dtype=np.int64)
        columns["label_id"] = np.repeat(labels, lengths)
    return pa.table(columns)


def nucleus_rings(slide: SimulatedSlide) -> list[NDArray[np.float64]]:
    """Return the vertices (v, 2) of every nucleus, in um, as the bundle shows them."""
    return [np.asarray(ring, dtype=np.float64) for ring in slide.nuclei["ring"]]


def cell_rings(cells: geopandas.GeoDataFrame) -> list[NDArray[np.float64]]:
    """Return the vertices (v, 2) of every cell, in um: the outer ring, closed."""
    rings = shapely.get_exterior_ring(cells.geometry.to_numpy())
    return [shapely.get_coordinates(ring) for ring in rings]


def cell_ids(part: Part, rows: NDArray[np.integer[Any]], traits: Traits) -> pa.Array:
    """Return the ids of the cells in these rows as the version stores them; -1 is 'no cell'."""
    if traits.integer_ids:
        numbers = part.first.cells + rows + 1
        return pa.array(np.where(rows < 0, -1, numbers).astype(np.int32))
    ids = np.append(part.slide.cells["cell_id"].to_numpy(dtype=object), UNASSIGNED[0])
    return text(pd.Series(ids), traits).take(pa.array(np.where(rows < 0, len(ids) - 1, rows)))


def text(values: pd.Series, traits: Traits) -> pa.Array:
    """Return text as the version stores it."""
    text = pa.array(values, pa.string(), from_pandas=True)
    return text.cast(pa.binary()) if traits.bytes_for_text else text


def _bytes(values: pd.Series) -> NDArray[np.bytes_]:
    return values.to_numpy(dtype=str).astype(np.bytes_)


def write_parts(path: Path, parts: Iterable[pa.Table], rows_per_group: int | None = None) -> None:
    """Write the parts of a table, one after the other, as parquet."""
    with ExitStack() as files:
        writer = None
        for part in parts:
            writer = writer or files.enter_context(pq.ParquetWriter(path, part.schema))
            writer.write_table(part, row_group_size=rows_per_group)


def _write_twins(path: Path, parts: Iterable[pa.Table], *, twin: bool) -> None:
    """Write a table as parquet and, beside it if asked, as gzipped csv without a time stamp: then it has one part."""
    if not twin:
        write_parts(path, parts)
        return
    (table,) = parts
    write_parts(path, [table])
    _write_csv(path.with_suffix(".csv.gz"), table)


def _write_csv(path: Path, table: pa.Table) -> None:
    plain = [
        column.cast(pa.string()) if pa.types.is_binary(column.type) else column
        for column in table.columns
    ]
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed,
    ):
        pyarrow.csv.write_csv(pa.table(plain, names=table.column_names), packed)
