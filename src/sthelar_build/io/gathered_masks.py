"""Masks that were drawn in shards, made one folder."""

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
from sthelar_build.io.masks import ARRAY, TABLE
from sthelar_build.io.records import MANIFEST, PROVENANCE, write_record
from sthelar_build.io.tables import read_provenance, table_writer
from sthelar_build.schema.tables import INSTANCES

_SUMMED = ("n_instances", "n_slivers")
_OF_FIRST = ("difference", "difference_reason")
"""Facts that the first shard measures for the whole slide."""
_COUNTED = "instances_per_class"
_OWN = (GRID_ROWS, _COUNTED, *_SUMMED, *_OF_FIRST)
_KEYS = ("n_patches", *_OWN)


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
    records = read_shards(shards, n_rows, _OWN, _KEYS, "draw")
    folder.mkdir()
    gather_files([shard / ARRAY for _, shard in records], folder / ARRAY)
    tables = [shard / TABLE for _, shard in records]
    with table_writer(folder / TABLE, INSTANCES, read_provenance(tables[0])) as writer:
        gather_tables(tables, writer)
    record = _summed([record for record, _ in records], n_rows)
    source = record.pop(PROVENANCE)
    write_record(folder / MANIFEST, record, source)


def _summed(records: Sequence[dict[str, Any]], n_rows: int) -> dict[str, Any]:
    return {
        **records[0],
        GRID_ROWS: [0, n_rows],
        **{name: sum(record[name] for record in records) for name in _SUMMED},
        _COUNTED: summed_counts(record[_COUNTED] for record in records),
    }
