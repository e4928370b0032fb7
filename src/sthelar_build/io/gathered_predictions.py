"""Predictions that were made in shards, made one folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sthelar_build.io.gathering import (
    GRID_ROWS,
    gather_files,
    gather_tables,
    read_shards,
    summed_counts,
)
from sthelar_build.io.predictions import ARRAY, NUCLEI_TABLE, PATCHES_TABLE
from sthelar_build.io.records import MANIFEST, PROVENANCE, write_record
from sthelar_build.io.tables import table_writer
from sthelar_build.schema.tables import PREDICTED_NUCLEI, PREDICTED_PATCHES

_SUMMED = ("n_nuclei", "n_segmented")
_COUNTED = ("nuclei_per_type", "not_segmented")
"""Counts by name, or null."""
_JOINED = ("ran_on",)
"""Lists of what differs from job to job."""
_OWN = (GRID_ROWS, *_SUMMED, *_COUNTED, *_JOINED)


def gather_predictions(shards: Sequence[Path], n_rows: int, folder: Path) -> None:
    """Write what one job for the whole slide would have written, byte for byte.

    Parameters
    ----------
    shards
        Folders of predictions that ``segment`` wrote with ``--shard``; in any order.
    n_rows
        Rows of the grid of patches.
    folder
        The folder to make.

    Raises
    ------
    InputError
        Unless every row of the grid is in one shard, and all are of the same slide, settings and inputs.
    """
    found = read_shards(shards, n_rows, _OWN, [*_OWN, PROVENANCE], "segment")
    records = [record for record, _ in found]
    ordered = [shard for _, shard in found]
    source = records[0][PROVENANCE]
    folder.mkdir()
    gather_files([shard / ARRAY for shard in ordered], folder / ARRAY)
    for name, schema in ((NUCLEI_TABLE, PREDICTED_NUCLEI), (PATCHES_TABLE, PREDICTED_PATCHES)):
        with table_writer(folder / name, schema, source) as writer:
            gather_tables([shard / name for shard in ordered], writer)
    write_record(folder / MANIFEST, _summed(records, n_rows), source)


def _summed(records: Sequence[dict[str, Any]], n_rows: int) -> dict[str, Any]:
    whole = {name: value for name, value in records[0].items() if name != PROVENANCE}
    whole[GRID_ROWS] = [0, n_rows]
    for name in _SUMMED:
        whole[name] = sum(record[name] for record in records)
    for name in _COUNTED:
        counts = [record[name] or {} for record in records]
        whole[name] = None if records[0][name] is None else summed_counts(counts)
    for name in _JOINED:
        values = [value for record in records for value in record[name]]
        whole[name] = [value for n, value in enumerate(values) if value not in values[:n]]
    return whole
