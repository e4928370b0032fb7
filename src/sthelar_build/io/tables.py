"""Parquet in and out, checked against ``schema.tables``. Geometry columns are GeoParquet 1.0."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from sthelar_build.errors import InputError
from sthelar_build.io.atomic import published
from sthelar_build.io.provenance import KEY, Provenance, provenance_json
from sthelar_build.schema.tables import mismatch

GEOMETRY = "geometry"
_BUFFER_BYTES = 2**20
_SHAPES_AT_A_TIME = 50_000
_DICTIONARY_BYTES = 2**25
"""Enough for the cells of a row group; beyond it words would be written one by one."""


def write_table(
    path: Path,
    frame: pd.DataFrame,
    schema: pa.Schema,
    source: Provenance,
    attributes: Mapping[str, Any] | None = None,
) -> None:
    """Write a frame as parquet, whole or not at all; ``attributes`` are small JSON facts about it."""
    with published(path) as draft, table_writer(draft, schema, source, attributes) as writer:
        writer.write_table(arrow_table(frame, schema))


@contextmanager
def table_writer(
    path: Path, schema: pa.Schema, source: Provenance, attributes: Mapping[str, Any] | None = None
) -> Iterator[pq.ParquetWriter]:
    """Open a parquet writer for row groups of ``schema``, for tables that do not fit in memory."""
    metadata = {
        KEY: provenance_json(source),
        f"{KEY}.attributes": json.dumps(attributes or {}, sort_keys=True),
    }
    if GEOMETRY in schema.names:
        metadata["geo"] = _geoparquet_metadata()
    with pq.ParquetWriter(
        path, schema.with_metadata(metadata), compression="zstd", **_encodings(schema)
    ) as writer:
        yield writer


def arrow_table(frame: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """Return a frame, or a part of one, as ``table_writer`` takes it."""
    plain = pd.DataFrame(frame).copy(deep=False)
    if GEOMETRY in plain.columns:
        plain[GEOMETRY] = shapely.to_wkb(plain[GEOMETRY].to_numpy())
    return pa.Table.from_pandas(plain, schema=schema, preserve_index=False)


def _encodings(schema: pa.Schema) -> dict[str, Any]:
    """Say how columns are packed: words by their number in a list, numbers by what they share.

    Lists of floats, and statistics of words and shapes, would take a third of the time for nothing.
    """
    kinds = {field.name: field.type for field in schema}
    floats = {name: "BYTE_STREAM_SPLIT" for name, kind in kinds.items() if _is_float(kind)}
    integers = {
        name: "DELTA_BINARY_PACKED" for name, kind in kinds.items() if pa.types.is_integer(kind)
    }
    return {
        "use_dictionary": [name for name, kind in kinds.items() if _is_text(kind)] or False,
        "write_statistics": [n for n, kind in kinds.items() if pa.types.is_primitive(kind)]
        or False,
        "dictionary_pagesize_limit": _DICTIONARY_BYTES,
        "column_encoding": floats | integers or None,
    }


def _is_float(kind: pa.DataType) -> bool:
    return bool(pa.types.is_float32(kind) or pa.types.is_float64(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_dictionary(kind) or pa.types.is_string(kind))


@contextmanager
def open_stream(path: Path, dictionary_columns: Sequence[str] = ()) -> Iterator[pq.ParquetFile]:
    """Open a parquet file for ``iter_batches`` in little memory; columns of text that are named stay dictionaries."""
    # With a buffer it is read as a stream; without, all of a row group at once.
    with pq.ParquetFile(
        path, read_dictionary=list(dictionary_columns), buffer_size=_BUFFER_BYTES, pre_buffer=False
    ) as file:
        yield file


def count_geometries(path: Path) -> tuple[int, int]:
    """Return the number of rows of a table of ours, and of those that have a geometry."""
    with open_stream(path) as file:
        missing = sum(
            batch.column(0).null_count
            for batch in file.iter_batches(_SHAPES_AT_A_TIME, columns=[GEOMETRY])
        )
        return file.metadata.num_rows, file.metadata.num_rows - missing


def geometry_batches(path: Path, size: int = _SHAPES_AT_A_TIME) -> Iterator[NDArray[np.object_]]:
    """Yield the geometries of a table of ours, at most ``size`` at a time: shapely's take much memory."""
    with open_stream(path) as file:
        for batch in file.iter_batches(size, columns=[GEOMETRY]):
            yield shapely.from_wkb(batch.column(0).to_numpy(zero_copy_only=False))


def read_table(path: Path, schema: pa.Schema, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a table of ours; a GeoDataFrame if its geometry is asked for. InputError if it does not fit."""
    check_table(path, schema)
    table = pq.read_table(path, columns=list(columns) if columns else None)
    if GEOMETRY not in table.column_names:
        frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
        return frame
    place = table.column_names.index(GEOMETRY)
    frame = table.drop_columns([GEOMETRY]).to_pandas(ignore_metadata=True)
    frame.insert(place, GEOMETRY, _geometries(table.column(GEOMETRY)))
    located: pd.DataFrame = geopandas.GeoDataFrame(frame, geometry=GEOMETRY)
    return located


def _geometries(column: pa.ChunkedArray) -> NDArray[np.object_]:
    """Return shapely's objects of WKB, which is never all there as bytes of Python."""
    found = np.empty(len(column), dtype=object)
    for start in range(0, len(column), _SHAPES_AT_A_TIME):
        part = column.slice(start, _SHAPES_AT_A_TIME)
        found[start : start + len(part)] = shapely.from_wkb(part.to_numpy())
    return found


def check_table(path: Path, schema: pa.Schema) -> None:
    """Raise InputError unless the file is parquet and has just the columns of ``schema``."""
    found = read_parquet_schema(path)
    problem = mismatch(found, schema)
    if problem:
        raise InputError(f"{path}: {problem}; delete it and run again")


def read_parquet_schema(path: Path) -> pa.Schema:
    """Return the schema of a parquet file; InputError if it is missing, truncated, or not parquet."""
    try:
        return pq.read_schema(path)
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: expected a parquet file, found nothing; check the path"
        ) from error
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(
            f"{path}: expected a parquet file, found a broken or truncated one; copy it again from its source"
        ) from error


def read_attributes(path: Path) -> dict[str, Any]:
    """Return the small facts that the writer stored beside the table."""
    metadata = read_parquet_schema(path).metadata or {}
    attributes: dict[str, Any] = json.loads(metadata.get(f"{KEY}.attributes".encode(), b"{}"))
    return attributes


def read_provenance(path: Path) -> Provenance:
    """Return the provenance that the writer stored beside the table."""
    metadata = read_parquet_schema(path).metadata or {}
    source: Provenance = json.loads(metadata.get(KEY.encode(), b"{}"))
    return source


def _geoparquet_metadata() -> str:
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": [], "crs": None}
    return json.dumps(
        {"version": "1.0.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
    )
