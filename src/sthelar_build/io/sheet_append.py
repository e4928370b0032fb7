"""One more row at the end of a sheet that people write: every byte that was there stays."""

from __future__ import annotations

import csv
import fcntl
import io
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from sthelar_build.errors import ConfigError
from sthelar_build.io.atomic import published
from sthelar_build.settings.sheet_rows import tsv_rows

Rows = list[dict[str, str]]


def sheet_rows(sheet: Path) -> Rows:
    """Return the rows of a sheet as they stand, complete or not; ConfigError if it is no table."""
    return _read(sheet)[2]


def append_row(sheet: Path, row: Mapping[str, str], key: str) -> int:
    """Append a row, and return the number of its line; the file is replaced whole or not at all.

    The cells go under the columns of the sheet, whatever their order; line endings are as before. Two commands at once
    both get their row.

    Raises
    ------
    ConfigError
        If the sheet is no table, has a row of this ``key`` already, or lacks a column that the row has a value for; if a cell is of several lines.
    """
    sheet = sheet.resolve()
    with _alone(sheet.parent):
        content, header, rows = _read(sheet)
        if row[key] in [other.get(key) for other in rows]:
            raise ConfigError(
                f"{sheet}: expected no row for {key} {row[key]} yet, found one; take another name"
            )
        if lost := [name for name, value in row.items() if value and name not in header]:
            raise ConfigError(
                f"{sheet}: expected a column {', '.join(lost)}, found none; add it to the first line"
            )
        if broken := [name for name, value in row.items() if len(value.splitlines()) > 1]:
            raise ConfigError(
                f"{sheet}: expected cells on one line, found a line break in {', '.join(broken)}; rename the file or folder"
            )
        ending = b"\r\n" if b"\r\n" in content else b"\n"
        if content and not content.endswith(b"\n"):
            content += ending
        line = _line([row.get(name, "") for name in header]).encode()
        with published(sheet) as draft:
            draft.write_bytes(content + line + ending)
            shutil.copymode(sheet, draft)
        return content.count(b"\n") + 1


def _read(sheet: Path) -> tuple[bytes, list[str], Rows]:
    try:
        content = sheet.read_bytes()
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{sheet}: expected a tab-separated sheet in UTF-8, found none; check the path"
        ) from error
    header, rows = tsv_rows(sheet, text)
    return content, header, [row for _, row in rows]


def _line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter="\t", lineterminator="").writerow(cells)
    return text.getvalue()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other command writes a sheet of this folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Some file systems have no locks.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
