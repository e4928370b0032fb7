"""The transcripts as a lazy table of points, a few row groups at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dask.dataframe as dd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sthelar_build.io.tables import check_table
from sthelar_build.schema.tables import TRANSCRIPTS

_ROWS_PER_PARTITION = 2_000_000
_NEW_NAMES = {"x_um": "x", "y_um": "y", "z_um": "z"}
_COLUMNS = (
    "x_um",
    "y_um",
    "z_um",
    "feature_name",
    "cell_id",
    "qv",
    "overlaps_nucleus",
    "category",
    "transcript_id",
)
_WORDS = ("feature_name", "category")


def lazy_transcripts(path: Path) -> Any:
    """Return ``transcripts.parquet`` as a dask table x, y, z (um), feature_name, cell_id, qv, ...

    Rows keep their order and are numbered from 0; ``feature_name`` and ``category`` are categorical,
    with the same categories in every partition. Nothing but the categories is read yet.
    """
    check_table(path, TRANSCRIPTS)
    with pq.ParquetFile(path) as file:
        words = {name: _distinct(file, name) for name in _WORDS}
        parts = _partitions(
            [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        )
    starts = [start for _, start, _ in parts]
    end = parts[-1][2]
    return dd.from_map(
        _read_part,
        [groups for groups, _, _ in parts],
        starts,
        path=path,
        words=words,
        meta=_read_part([], 0, path, words),
        divisions=(*starts, max(end - 1, 0)),
    )


def _partitions(group_sizes: Sequence[int]) -> list[tuple[list[int], int, int]]:
    """Return runs of row groups, with the number of their first row and of the row after their last."""
    runs: list[tuple[list[int], int, int]] = [([], 0, 0)]
    for group, size in enumerate(group_sizes):
        groups, start, end = runs[-1]
        if groups and end - start + size > _ROWS_PER_PARTITION:
            runs.append(([group], end, end + size))
        else:
            runs[-1] = ([*groups, group], start, end + size)
    return runs


def _read_part(
    groups: list[int], start: int, path: Path, words: Mapping[str, list[str]]
) -> pd.DataFrame:
    with pq.ParquetFile(path) as file:
        table = file.read_row_groups(groups, columns=list(_COLUMNS))
    part: pd.DataFrame = table.select(list(_COLUMNS)).to_pandas(ignore_metadata=True)
    part = part.rename(columns=_NEW_NAMES)
    part.index = pd.RangeIndex(start, start + len(part))
    part["cell_id"] = part["cell_id"].astype(pd.StringDtype("pyarrow"))
    for name, categories in words.items():
        part[name] = part[name].astype(pd.CategoricalDtype(categories))
    return part


def _distinct(file: pq.ParquetFile, name: str) -> list[str]:
    found: set[str] = set()
    for group in range(file.num_row_groups):
        for chunk in file.read_row_group(group, columns=[name]).column(name).chunks:
            found.update(
                chunk.dictionary.to_pylist()
                if pa.types.is_dictionary(chunk.type)
                else chunk.unique().to_pylist()
            )
    return sorted(found)
