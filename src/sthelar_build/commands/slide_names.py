"""The names of slides, for the completion of the shell. Light: it runs at every press of the tab key."""

from __future__ import annotations

import csv
from contextlib import suppress
from pathlib import Path

_SHEET = Path("config/slides.tsv")


def slide_names(incomplete: str) -> list[str]:
    """Return the slides of the sheet that begin so; none where there is no sheet to read."""
    with suppress(OSError, UnicodeDecodeError), _SHEET.open(encoding="utf-8-sig") as file:
        rows = csv.DictReader((line for line in file if not line.startswith("#")), delimiter="\t")
        return [name for row in rows if (name := row.get("slide") or "").startswith(incomplete)]
    return []
