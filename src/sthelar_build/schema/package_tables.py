"""The small tables that come with the package, read as they are."""

from __future__ import annotations

import csv
from importlib import resources


def package_rows(file_name: str) -> list[dict[str, str]]:
    """Return the rows of a csv file of this folder: column -> text."""
    text = resources.files(__package__).joinpath(file_name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
