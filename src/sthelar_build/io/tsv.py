"""Tab-separated tables that people write: comments, blank lines and stray spaces are no part of them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from sthelar_build.errors import ConfigError

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
        raise ConfigError(f"{path}: expected a tab-separated table in UTF-8, found none") from error
    lines = [
        (number, line)
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.startswith("#")
    ]
    rows = csv.DictReader([line for _, line in lines], delimiter="\t")
    found = list(rows.fieldnames or [])
    if lines and not set(columns) <= set(found):
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
    cells = [{name: (row.get(name) or "").strip() for name in names} for row in rows]
    return list(zip([number for number, _ in lines[1:]], cells, strict=True))
