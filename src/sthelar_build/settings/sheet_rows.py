"""Tab-separated sheets that people write: their rows, each checked by a model; what is wrong is told cell by cell."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from sthelar_build.errors import ConfigError
from sthelar_build.settings.base import Settings

Row = TypeVar("Row", bound=Settings)


def read_sheet(path: Path, model: type[Row]) -> list[Row]:
    """Read a sheet whose columns are the fields of a model; ConfigError names the line and the cell."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: expected a tab-separated sheet in UTF-8, found none; check the path"
        ) from error
    header, rows = tsv_rows(path, text)
    _check_header(path, header, model)
    return [_parse_row(path, number, row, model) for number, row in rows]


def tsv_rows(path: Path, text: str) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Return the header of a tab-separated table, and number of the line and cells of every row; a short row ends empty.

    Blank lines and those that start with # are passed over. ConfigError if the header names a column twice, if a row has
    more cells than the header, or if a quote is opened and not closed: it would swallow the lines that follow.
    """
    header: list[str] = []
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = _cells(f"{path}: line {number}", line)
        if not header:
            header = cells
            twice = [name for name, n in Counter(header).items() if n > 1]
            if twice:
                raise ConfigError(
                    f"{path}: expected every column once, found {', '.join(twice)} more than once; rename one"
                )
        elif len(cells) > len(header):
            raise ConfigError(
                f"{path}: line {number}: expected {len(header)} cells as in the first line, found {len(cells)}; "
                "remove the tabs too many"
            )
        else:
            cells += [""] * (len(header) - len(cells))
            rows.append((number, dict(zip(header, cells, strict=True))))
    return header, rows


def _cells(where: str, line: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter="\t", strict=True))]
    except csv.Error as error:
        raise ConfigError(
            f"{where}: expected tab-separated cells, found {error}; correct the quotes of this line"
        ) from error


def _check_header(path: Path, found: list[str], model: type[Row]) -> None:
    expected = list(model.model_fields)
    required = [name for name, field in model.model_fields.items() if field.is_required()]
    unknown = [name for name in found if name not in expected]
    missing = [name for name in required if name not in found]
    if unknown or missing:
        remedies = [f"rename or remove {', '.join(unknown)}"] if unknown else []
        remedies += [f"add {', '.join(missing)}"] if missing else []
        if any(mark in name for name in unknown for mark in " ,;"):
            remedies = ["put tabs, not spaces or commas, between the columns"]
        raise ConfigError(
            f"{path}: expected the tab-separated columns {', '.join(expected)}, found {', '.join(found) or 'nothing'}; "
            f"{' and '.join(remedies)} in the first line"
        )


def _parse_row(path: Path, line: int, row: dict[str, Any], model: type[Row]) -> Row:
    try:
        return model.model_validate(row)
    except ValidationError as error:
        key = next(iter(row.items()))
        if sum(map(bool, row.values())) == 1:
            raise ConfigError(
                f"{path}: line {line}: expected {len(row)} tab-separated cells, found one; put tabs between them"
            ) from error
        wrong = "; ".join(_wrong_cell(str(item["loc"][0]), row, model) for item in error.errors())
        raise ConfigError(f"{path}: line {line} ({' '.join(key)}): {wrong}") from error


def _wrong_cell(column: str, row: Mapping[str, str], model: type[Row]) -> str:
    """Return what is wrong with a cell: what the column means, and what stands there."""
    meaning = (model.model_fields[column].description or "").split("\n")[0].rstrip(".")
    found = repr(row.get(column, "")) if row.get(column) else "an empty cell"
    return f"{column}: expected {meaning[:1].lower()}{meaning[1:]}; found {found}"
