"""Tab-separated tables that people write: comments, blank lines and stray spaces are no part of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sthelar_build.errors import ConfigError
from sthelar_build.settings.sheet_rows import tsv_rows

Row = dict[str, str]


def read_tsv(
    path: Path, columns: Sequence[str], optional: Sequence[str] | None = None
) -> list[tuple[int, Row]]:
    """Return the number of the line and the cells of every row, in ``columns`` and ``optional``.

    Lines that start with # are comments. ConfigError if the file cannot be read or lacks a column. An ``optional``
    column that is not there is empty; where any are named, all others are refused, else they are passed over.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: expected a tab-separated table in UTF-8, found none; check the path"
        ) from error
    found, rows = tsv_rows(path, text)
    if found and not set(columns) <= set(found):
        raise ConfigError(
            f"{path}: expected the tab-separated columns {', '.join(columns)}, "
            f"found {', '.join(found)}; correct the first line"
        )
    if optional is not None and (extra := sorted(set(found).difference(columns, optional))):
        raise ConfigError(
            f"{path}: expected no columns but {', '.join([*columns, *optional])}, "
            f"found also {', '.join(extra)}; rename or remove them"
        )
    names = [*columns, *(optional or ())]
    return [(number, {name: row.get(name, "") for name in names}) for number, row in rows]
