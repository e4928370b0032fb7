"""Shards of a folder artefact, checked and brought together: files by link, tables row group by row group."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from sthelar_build.errors import InputError
from sthelar_build.io.records import MANIFEST, read_record

GRID_ROWS = "grid_rows"
"""Key of a manifest: first row of the grid that is in the folder, and the one after the last."""


Gathered = list[tuple[dict[str, Any], Path]]
"""Manifest and folder of every shard."""


def read_shards(
    shards: Sequence[Path], n_rows: int, own: Collection[str], keys: Collection[str], verb: str
) -> Gathered:
    """Return manifest and folder of all shards of a slide, in the order of the grid's rows.

    Parameters
    ----------
    shards
        Folders with a manifest, in any order.
    n_rows
        Rows of the grid of patches.
    own
        Keys of the manifest in which shards may differ.
    keys
        Keys that a manifest must have.
    verb
        What the user is to do again.

    Raises
    ------
    InputError
        Unless every row of the grid is in one shard, and all agree in what is not their own.
    """
    found = sorted(
        ((read_record(shard / MANIFEST, keys), shard) for shard in shards),
        key=lambda pair: pair[0][GRID_ROWS],
    )
    expected = 0
    for record, shard in found:
        start, stop = record[GRID_ROWS]
        if start != expected:
            raise InputError(
                f"{shard}: expected a shard that begins with row {expected} of the grid, found one from {start}; "
                f"{verb} all shards of one number"
            )
        if _without(record, own) != _without(found[0][0], own):
            raise InputError(
                f"{shard}: expected a shard of the same slide, settings and inputs, found others; "
                f"delete the shards and {verb} them again"
            )
        expected = stop
    if expected != n_rows:
        raise InputError(
            f"{found[-1][1]}: expected shards of all {n_rows} rows of the grid, found {expected}; {verb} the others"
        )
    return found


def summed_counts(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Add up counts by name; what was counted zero times stays, in the order of the first."""
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(total)


def gather_files(folders: Iterable[Path], target: Path) -> None:
    """Bring the files of all folders into one, by their path in the folder; where two have the same, the first is taken."""
    for folder in folders:
        for file in _files(folder):
            place = target / file.relative_to(folder)
            if not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                _link(file, place)


def gather_tables(tables: Sequence[Path], writer: pq.ParquetWriter) -> None:
    """Copy the row groups of all tables, which have one schema."""
    for path in tables:
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                writer.write_table(file.read_row_group(group))


def _without(record: Mapping[str, Any], own: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in own}


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _link(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except OSError:
        # Another file system, or one without links.
        shutil.copyfile(file, target)
