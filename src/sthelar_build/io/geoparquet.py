"""Outlines as GeoParquet 1.0 that geopandas reads with its index, written as a stream."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import geopandas
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

_GEOMETRY = "geometry"
_GEO = {
    "version": "1.0.0",
    "primary_column": _GEOMETRY,
    "columns": {_GEOMETRY: {"encoding": "WKB", "geometry_types": [], "crs": None}},
}


def write_outlines(path: Path, parts: Iterable[pd.DataFrame], index: str, like: pa.Schema) -> None:
    """Write frames one after the other; the column ``index`` becomes their index.

    ``like`` names the columns that are kept and their types, ``index`` among them; ``geometry``, shapes of shapely, is
    written as WKB. Without any part the file has no rows. The caller publishes it.
    """
    with pq.ParquetWriter(path, _schema(index, like), compression="zstd") as writer:
        for part in parts:
            writer.write_table(_table(part, index, like).cast(writer.schema))


def opens(path: Path, index: str) -> bool:
    """Return whether geopandas reads the outlines of the first object, by this index; True for a file without rows."""
    with pq.ParquetFile(path) as file:
        first = next(file.iter_batches(1, columns=[index]), None)
    if first is None or not first.num_rows:
        return True
    # The whole file may be larger than memory.
    found = geopandas.read_parquet(path, filters=[(index, "==", first[index][0].as_py())])
    return bool(len(found) and found.index.name == index and found.geometry.notna().all())


def _table(part: pd.DataFrame, index: str, like: pa.Schema) -> pa.Table:
    plain = pd.DataFrame(part)[like.names]
    plain = plain.assign(**{_GEOMETRY: shapely.to_wkb(plain[_GEOMETRY].to_numpy())})
    return pa.Table.from_pandas(plain.set_index(index), schema=like, preserve_index=True)


def _schema(index: str, like: pa.Schema) -> pa.Schema:
    """Return the columns with what pandas and GeoParquet say about them."""
    empty = like.empty_table().to_pandas().set_index(index)
    described = pa.Table.from_pandas(empty, schema=like, preserve_index=True).schema
    return like.with_metadata({**described.metadata, "geo": json.dumps(_GEO)})
