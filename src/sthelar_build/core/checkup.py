"""Findings of a check-up as lines of text: a mark in words, what was looked at, what was found, what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Mark = Literal["ok", "warning", "problem"]
_WIDEST = max(map(len, ("ok", "warning", "problem")))


@dataclass(frozen=True)
class Line:
    """One thing that was looked at."""

    mark: Mark
    name: str
    found: str
    remedy: str = ""
    """What to do; empty where nothing is to be done, or ``found`` says it."""

    def text(self) -> str:
        """Return the line, and the remedy beneath it.

        >>> print(Line("warning", "disk", "1 GB free", "free some space").text())
          warning  disk: 1 GB free
                   -> free some space
        """
        line = f"  {self.mark:{_WIDEST}}  {self.name}: {self.found}"
        return f"{line}\n{' ' * (_WIDEST + 4)}-> {self.remedy}" if self.remedy else line


@dataclass(frozen=True)
class Section:
    """What belongs together."""

    title: str
    lines: tuple[Line, ...]


def n_marked(sections: Sequence[Section], mark: Mark) -> int:
    """Return how many lines have a mark."""
    return sum(line.mark == mark for section in sections for line in section.lines)


def closing(sections: Sequence[Section]) -> str:
    """Return the last line: whether to go on."""
    n_problems, n_warnings = n_marked(sections, "problem"), n_marked(sections, "warning")
    warnings = f"{n_warnings} warning{'s' * (n_warnings != 1)}"
    if n_problems:
        found = "1 problem" if n_problems == 1 else f"{n_problems} problems"
        return f"{found}, {warnings}: mend what is marked as a problem before you run"
    if n_warnings:
        return f"No problem, {warnings}: it will run; read what is marked as a warning first"
    return "All is well: snakemake --cores all"


def package_lines(
    required: Mapping[str, str], installed: Mapping[str, str | None], locked: Mapping[str, str]
) -> Iterator[Line]:
    """Yield what is to be said of the packages.

    Parameters
    ----------
    required
        Name -> what is wrong with the installed version for the project; empty where nothing is.
    installed
        Name -> version; None where the package is not there.
    locked
        Name -> version that the tests ran with; only of packages that the lock has.
    """
    broken = {name: wrong for name, wrong in required.items() if wrong}
    for name, wrong in broken.items():
        yield Line("problem", name, wrong, "make .venv, or pip install .")
    others = {n: v for n, v in installed.items() if n not in broken and v and v != locked.get(n, v)}
    if others:
        words = ", ".join(f"{name} {version} ({locked[name]})" for name, version in others.items())
        yield Line(
            "warning",
            "packages",
            f"other versions than those that were tested, which are in brackets: {words}",
            "make .venv installs the tested ones",
        )
    if not broken and not others:
        known = "the versions of the lock" if locked else "as the project asks"
        yield Line("ok", "packages", f"{len(required)} of {len(required)}, {known}")
