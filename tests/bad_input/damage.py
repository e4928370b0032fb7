"""What happens to files on their way: each takes a path and leaves something worse there."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

Damage = Callable[[Path], None]


def gone(path: Path) -> None:
    path.unlink()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def halved(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def without_its_end(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def a_login_page(path: Path) -> None:
    path.write_text("<!DOCTYPE html><html><body>Please log in</body></html>\n")


def a_png(path: Path) -> None:
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path, format="PNG")


def a_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing here")


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def text(content: str, encoding: str = "utf-8") -> Damage:
    return lambda path: path.write_bytes(content.encode(encoding)) and None


def column(name: str, change: Callable[[Any], Any]) -> Damage:
    """Change a column of a parquet file; ``change`` takes and returns a pandas series."""

    def damage(path: Path) -> None:
        frame = pq.read_table(path).to_pandas()
        frame[name] = change(frame[name].copy())
        rewritten(path, pa.Table.from_pandas(frame, preserve_index=False))

    return damage


def rows(choose: Callable[[Any], Any]) -> Damage:
    """Keep, repeat or reorder rows of a parquet file; ``choose`` takes and returns a table."""
    return lambda path: rewritten(path, choose(pq.read_table(path)))


def rewritten(path: Path, table: pa.Table) -> None:
    path.unlink()
    pq.write_table(table, path)


def fact(name: str, value: Any) -> Damage:
    """Change a fact of a JSON file; None removes it."""

    def damage(path: Path) -> None:
        facts = json.loads(path.read_text())
        facts[name] = value
        path.write_text(json.dumps({key: v for key, v in facts.items() if v is not None}))

    return damage


def each(series: Any, value: Any) -> Any:
    """Return a series whose every third value is this one."""
    changed = series.astype(object) if value is None else series
    changed.iloc[::3] = value
    return changed


def removed_folder(path: Path) -> None:
    shutil.rmtree(path)


def column_page_overwritten(name: str) -> Damage:
    """Overwrite the beginning of the first page of a column of a parquet file."""

    def damage(path: Path) -> None:
        metadata = pq.read_metadata(path)
        chunk = metadata.row_group(0).column(metadata.schema.names.index(name))
        start = chunk.dictionary_page_offset or chunk.data_page_offset
        content = path.read_bytes()
        path.write_bytes(content[:start] + b"\xff" * 64 + content[start + 64 :])

    return damage
