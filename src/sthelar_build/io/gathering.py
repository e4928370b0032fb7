"""Parts of a folder artefact brought together: files by link, tables row group by row group."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as pq


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


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _link(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except OSError:
        # Another file system, or one without links.
        shutil.copyfile(file, target)
