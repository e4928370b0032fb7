"""What a line of a curation table is about. Light: the workflow reads it to know the files that a slide needs."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sthelar_build.errors import ConfigError
from sthelar_build.io.tsv import Row, read_tsv

COLUMNS = ("target", "label", "who", "when", "why")
OPTIONAL = ("only",)
KINDS = ("cluster", "cell", "cells", "region", "polygon")
_DRAWN_ON_HE = (".geojson", ".json")


@dataclass(frozen=True)
class Target:
    """The words of a target: ``kind:value``, or ``kind:file#part``."""

    kind: Literal["cluster", "cell", "cells", "region", "polygon"]
    value: str
    """Name or key of a cluster, id of a cell, corners of a polygon; empty where a file is named."""
    file: Path | None = None
    """The file that names the cells; a relative path is relative to the table."""
    part: str | None = None
    """The selection or annotation of that name in the file; None takes all of it."""

    @property
    def drawn_on_he(self) -> bool:
        """Whether the coordinates of the region are level-0 pixels of the H&E, not um."""
        if self.kind == "polygon":
            return True
        return (
            self.kind == "region"
            and self.file is not None
            and self.file.suffix.casefold() in _DRAWN_ON_HE
        )


def read_lines(path: Path) -> list[tuple[str, Target, Row]]:
    """Return place (file and number of the line), target and cells of every line of a curation table."""
    lines = []
    for number, row in read_tsv(path, COLUMNS, OPTIONAL):
        where = f"{path}: line {number}"
        lines.append((where, parse_target(where, row["target"], path.parent), row))
    return lines


def parse_target(where: str, text: str, folder: Path) -> Target:
    """Return what the words of a target say; ConfigError, at ``where``, if they say nothing."""
    kind, _, value = (part.strip() for part in text.partition(":"))
    if kind not in KINDS or not value:
        raise ConfigError(
            f"{where}: expected cluster:KEY, cell:ID, cells:FILE, region:FILE or polygon:CORNERS, found "
            f"{text!r}{hint(kind, KINDS)}"
        )
    if kind in ("cluster", "cell", "polygon"):
        return Target(kind, value)  # type: ignore[arg-type]
    name, _, part = value.partition("#")
    return Target(kind, "", folder / name, part or None)  # type: ignore[arg-type]


@dataclass(frozen=True)
class NeededFiles:
    """The files that the decisions on a slide need."""

    table: Path | None = None
    """The table itself; None if the slide has none."""
    files: tuple[Path, ...] = ()
    """Lists of cells and regions that it names, each once."""
    drawn_on_he: bool = False
    """Whether one of the regions is drawn on the H&E, so that its place must be known."""


def needed_files(folder: Path, slide: str) -> NeededFiles:
    """Return the files that the decisions on a slide need; ConfigError as :func:`files_of_table`."""
    table = folder / f"{slide}.tsv"
    return files_of_table(table) if table.is_file() else NeededFiles()


def files_of_table(table: Path) -> NeededFiles:
    """Return the files that a table of decisions needs; ConfigError if it cannot be read, or one is not there."""
    lines = read_lines(table)
    targets = [(where, target) for where, target, _ in lines if target.file]
    for where, target in targets:
        if target.file and not target.file.is_file():
            raise ConfigError(
                f"{where}: expected the file {target.file} (relative to the table), found none; correct the path"
            )
    files = dict.fromkeys(target.file for _, target in targets if target.file)
    drawn_on_he = any(target.drawn_on_he for _, target, _ in lines)
    return NeededFiles(table, tuple(files), drawn_on_he)


def strays(folder: Path, slides: Collection[str]) -> list[Path]:
    """Return the tables of decisions in a folder that belong to no slide: misspelt, or no longer in the sheet."""
    return sorted(table for table in folder.glob("*.tsv") if table.stem not in slides)


def hint(word: str, known: Iterable[str]) -> str:
    """Return the end of a message on an unknown word: the nearest known one, if there is any."""
    spelt = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), spelt, n=1, cutoff=0.0)
    return f" (nearest: {spelt[near[0]]!r}); correct it" if near else "; correct it"
