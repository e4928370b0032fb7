"""Call a command on a damaged slide and check how it is refused."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sthelar_build.cli import main

BUNDLE = "xenium"
ATLAS = "reference.h5ad"
HE = "he_image.ome.tif"
MATRIX = "alignment_matrix.csv"


@dataclass
class Slide:
    """A copy of the raw files, to be damaged, and the folder that a command would write to."""

    raw: Path
    out: Path
    run: Callable[..., tuple[int, str]] = field(repr=False)

    @property
    def bundle(self) -> Path:
        return self.raw / BUNDLE

    def preflight(self, **changes: Any) -> list[Any]:
        """Return the words of a command; an option that is changed to None is left out."""
        options = {
            "slide": "toy",
            "xenium": self.bundle,
            "he": self.raw / HE,
            "alignment": self.raw / MATRIX,
            "reference": self.raw / ATLAS,
            "label-key": "cell_type",
            "out": self.out / "preflight.json",
            "settings": "{}",
        }
        return words("preflight", options | changes)

    def ingest(self, **changes: Any) -> list[Any]:
        made = {
            "nuclei": self.out / "nuclei.parquet",
            "cells": self.out / "cells.parquet",
            "transcripts": self.out / "transcripts.parquet",
            "bundle": self.out / "bundle.json",
        }
        return words("ingest", {"xenium": self.bundle, **made, "settings": "{}"} | changes)

    def is_refused(self, command: list[Any], *expected: str) -> None:
        """Assert that a command ends with one line that has all ``expected`` words, and leaves nothing."""
        before = contents(self.out)
        status, said = self.run(*command)
        assert_one_line(status, said, *expected)
        assert contents(self.out) == before


def words(stage: str, options: dict[str, Any]) -> list[Any]:
    given = [(name, value) for name, value in options.items() if value is not None]
    return [stage, *(word for name, value in given for word in (f"--{name}", value))]


def assert_one_line(status: int, said: str, *expected: str) -> None:
    """Assert exit status 1, one line of error, the last one, with all ``expected`` words, and no traceback."""
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    assert status == 1, said
    assert len(errors) == 1, said
    assert said.rstrip().endswith(errors[0])
    assert "Traceback" not in said
    for word in expected:
        assert word in errors[0], errors[0]


def contents(folder: Path) -> dict[str, str]:
    """Return what lies below a folder, hidden files too: path -> digest; none if there is no folder."""
    return {
        str(path.relative_to(folder)): digest(path) if path.is_file() else "folder"
        for path in sorted(folder.rglob("*"))
    }


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def called(monkeypatch: Any, capsys: Any, *command: Any) -> tuple[int, str]:
    """Call the command line; return the exit status and what it says on standard error."""
    monkeypatch.setattr(sys, "argv", ["sthelar-build", *map(str, command)])
    for hook in ("excepthook", "unraisablehook"):
        monkeypatch.setattr(sys, hook, getattr(sys, hook))
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0), capsys.readouterr().err
    raise AssertionError("expected the command to end with a status")
