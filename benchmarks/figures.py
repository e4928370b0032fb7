"""What a benchmark hands to the table of all (``table.py``): one line of JSON per figure, in the file of ``--json``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """A measure at one size."""

    measure: str
    """What is measured, as in DESIGN.md 7: ``registration``, ``patches``, ..."""
    size: str
    """Of what: ``20 M transcripts``."""
    unit: str
    ours: float
    theirs: float | None = None
    peer: str = ""
    """What ours is compared with; or the goal."""
    ours_mb: float | None = None
    theirs_mb: float | None = None
    note: str = ""
    is_limit: bool = False
    """``theirs`` is a limit, or a goal, and no other program: there is no ratio."""

    @property
    def ratio(self) -> float | None:
        """How many times more the other takes."""
        if self.is_limit or self.theirs is None or not self.ours:
            return None
        return self.theirs / self.ours


def add_json(parser: argparse.ArgumentParser) -> None:
    """Give a parser the option ``--json``."""
    parser.add_argument("--json", type=Path, help="file to which the figures are added")


def add_figures(path: Path | None, figures: Iterable[Figure]) -> None:
    """Add figures to the file; nothing if there is none."""
    if path is not None:
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(figure)) + "\n" for figure in figures)


def read_figures(path: Path) -> list[Figure]:
    """Return the figures of a file; none if it is not there."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Figure(**json.loads(line)) for line in lines]
