"""Masks that were drawn in shards, made one folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from sthelar_build.errors import InputError
from sthelar_build.io.gathering import gather_files, gather_tables
from sthelar_build.io.masks import ARRAY, GRID_ROWS, MANIFEST, TABLE
from sthelar_build.io.records import PROVENANCE, read_record, write_record

_SUMMED = ("n_instances", "n_slivers")
_OF_FIRST = ("difference", "difference_reason")
"""Facts that the first shard measures for the whole slide."""
_KEYS = (GRID_ROWS, "n_patches", "instances_per_class", *_SUMMED, *_OF_FIRST)


def gather_masks(shards: Sequence[Path], n_rows: int, folder: Path) -> None:
    """Write what one job for the whole slide would have written, byte for byte.

    Parameters
    ----------
    shards
        Folders of masks that ``rasterise`` wrote with ``--shard``; in any order.
    n_rows
        Rows of the grid of patches.
    folder
        The folder to make.

    Raises
    ------
    InputError
        Unless every row of the grid is in one shard, and all are of the same slide, settings and inputs.
    """
    records = sorted(
        ((read_record(shard / MANIFEST, _KEYS), shard) for shard in shards),
        key=lambda pair: pair[0][GRID_ROWS],
    )
    _check(records, n_rows)
    folder.mkdir()
    gather_files([shard / ARRAY for _, shard in records], folder / ARRAY)
    _gather_tables([shard / TABLE for _, shard in records], folder / TABLE)
    record = _summed([record for record, _ in records], n_rows)
    source = record.pop(PROVENANCE)
    write_record(folder / MANIFEST, record, source)


def _check(records: Sequence[tuple[dict[str, Any], Path]], n_rows: int) -> None:
    expected = 0
    first, _ = records[0]
    for record, shard in records:
        start, stop = record[GRID_ROWS]
        if start != expected:
            raise InputError(
                f"{shard}: expected a shard that begins with row {expected} of the grid, found one from {start}; "
                "draw all shards of one number"
            )
        if _common(record) != _common(first):
            raise InputError(
                f"{shard}: expected a shard of the same slide, settings and inputs, found others; "
                "delete the shards and draw them again"
            )
        expected = stop
    if expected != n_rows:
        raise InputError(
            f"{records[-1][1]}: expected shards of all {n_rows} rows of the grid, found {expected}; draw the others"
        )


def _common(record: dict[str, Any]) -> dict[str, Any]:
    own = {GRID_ROWS, "instances_per_class", *_SUMMED, *_OF_FIRST}
    return {name: value for name, value in record.items() if name not in own}


def _summed(records: Sequence[dict[str, Any]], n_rows: int) -> dict[str, Any]:
    per_class: Counter[str] = Counter()
    for record in records:
        per_class.update(record["instances_per_class"])
    # A Counter drops nothing that was counted zero times: the order is that of the first shard.
    sums = {name: sum(record[name] for record in records) for name in _SUMMED}
    return {
        **records[0],
        GRID_ROWS: [0, n_rows],
        **sums,
        "instances_per_class": {
            name: per_class[name] for name in records[0]["instances_per_class"]
        },
    }


def _gather_tables(tables: Sequence[Path], out: Path) -> None:
    schema = pq.read_schema(tables[0])
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        gather_tables(tables, writer)
