"""A row of the sheet for a slide that is new: what each cell says, and how far it can be trusted."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

How = Literal["given", "found", "guessed", "missing"]

_NO_NAMES = re.compile(r"(outs?|outputs?|xenium|xenium_outs?|bundle|data|raw)?", re.IGNORECASE)
"""Names of folders that say nothing of the slide."""
_INSTRUMENT = re.compile(r"output-[^_]+__(?P<slide>[^_]+)__(?P<region>.+?)__\d{8}__\d{6}")
"""Folders as the instrument names them: output-XETG00045__0006891__Region_1__20230530__220121."""
_ENDINGS = re.compile(r"(_xe)?_outs$|\.xenium$", re.IGNORECASE)
_NO_TISSUES = ("multi", "5k", "pan", "custom", "simulated")


@dataclass(frozen=True)
class Cell:
    """One cell of the row."""

    column: str
    value: str
    how: How
    why: str = ""
    """Where the value is from, or what to do where there is none."""

    def text(self) -> str:
        """Return the cell as a line.

        >>> print(Cell("tissue", "", "missing", "fill it in").text())
          missing  tissue: fill it in
        """
        words = ": ".join(part for part in (self.value, self.why) if part)
        return f"  {self.how:7}  {self.column}: {words}"


def slide_name(folders: Sequence[str], taken: Collection[str]) -> str:
    """Return a name for the slide: from the first of the folders that says anything, and no name that is taken.

    >>> slide_name(["outs", "Breast S1 (top)"], ["Breast_S1_top"])
    'Breast_S1_top_2'
    >>> slide_name(["output-XETG00045__0006891__Region_1__20230530__220121"], [])
    '0006891_Region_1'
    """
    cleaned = [name for folder in folders if (name := _clean(folder))]
    wanted = cleaned[0] if cleaned else "slide"
    number, name = 1, wanted
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name


def _clean(folder: str) -> str:
    instrument = _INSTRUMENT.fullmatch(folder)
    words = "_".join(instrument.groups()) if instrument else _ENDINGS.sub("", folder)
    return "" if _NO_NAMES.fullmatch(words) else re.sub(r"[^A-Za-z0-9]+", "_", words).strip("_")


def tissue_of(specification: Mapping[str, Any]) -> str:
    """Return the tissue that the panel of a bundle is made for; empty where it is made for many, or does not say."""
    tissue = str(specification.get("panel_tissue_type") or "").strip()
    return "" if any(word in tissue.casefold() for word in _NO_TISSUES) else tissue


def missing(cells: Sequence[Cell]) -> list[str]:
    """Return the columns that a person must fill in."""
    return [cell.column for cell in cells if cell.how == "missing"]
