"""Predictions that were made in shards, made one folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sthelar_build.errors import InputError
from sthelar_build.io.gathering import gather_files, gather_tables
from sthelar_build.io.predictions import (
    ARRAY,
    GRID_ROWS,
    MANIFEST,
    NUCLEI_TABLE,
    PATCHES_TABLE,
)
from sthelar_build.io.records import PROVENANCE, read_record, write_record
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
    found = sorted(
        ((read_record(shard / MANIFEST, [*_OWN, PROVENANCE]), shard) for shard in shards),
        key=lambda pair: pair[0][GRID_ROWS],
    )
    _check(found, n_rows)
    records = [record for record, _ in found]
    ordered = [shard for _, shard in found]
    source = records[0][PROVENANCE]
    folder.mkdir()
    gather_files([shard / ARRAY for shard in ordered], folder / ARRAY)
    for name, schema in ((NUCLEI_TABLE, PREDICTED_NUCLEI), (PATCHES_TABLE, PREDICTED_PATCHES)):
        with table_writer(folder / name, schema, source) as writer:
            gather_tables([shard / name for shard in ordered], writer)
    write_record(folder / MANIFEST, _summed(records, n_rows), source)


def _check(found: Sequence[tuple[dict[str, Any], Path]], n_rows: int) -> None:
    expected = 0
    for record, shard in found:
        start, stop = record[GRID_ROWS]
        if start != expected:
            raise InputError(
                f"{shard}: expected a shard that begins with row {expected} of the grid, found one from {start}; "
                "segment all shards of one number"
            )
        if _common(record) != _common(found[0][0]):
            raise InputError(
                f"{shard}: expected a shard of the same slide, settings and inputs, found others; "
                "delete the shards and segment them again"
            )
        expected = stop
    if expected != n_rows:
        raise InputError(
            f"{found[-1][1]}: expected shards of all {n_rows} rows of the grid, found {expected}; segment the others"
        )


def _common(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in _OWN}


def _summed(records: Sequence[dict[str, Any]], n_rows: int) -> dict[str, Any]:
    whole = {name: value for name, value in records[0].items() if name != PROVENANCE}
    whole[GRID_ROWS] = [0, n_rows]
    for name in _SUMMED:
        whole[name] = sum(record[name] for record in records)
    for name in _COUNTED:
        whole[name] = _counted([record[name] for record in records])
    for name in _JOINED:
        values = [value for record in records for value in record[name]]
        whole[name] = [value for n, value in enumerate(values) if value not in values[:n]]
    return whole


def _counted(counts: Sequence[dict[str, int] | None]) -> dict[str, int] | None:
    if counts[0] is None:
        return None
    total: Counter[str] = Counter()
    for count in counts:
        # Keeps what was counted zero times, and the order of the first.
        total.update(count or {})
    return dict(total)
