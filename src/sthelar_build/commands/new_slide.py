"""The cells of a new row of the sheet: from the command line, from what lies in and beside the folder, or missing."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from sthelar_build.config import Config
from sthelar_build.core.new_row import Cell, slide_name, tissue_of
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.run import TOYS
from sthelar_build.io.slide_search import Found, find_alignment, find_he
from sthelar_build.io.xenium.bundle import XeniumBundle
from sthelar_build.sheets import SLIDE_NAME, load_references

_WORDS = ("auto", "identity")


@dataclass(frozen=True)
class Given:
    """What the command line says of the slide; None where it says nothing."""

    name: str | None = None
    he: Path | None = None
    tissue: str | None = None
    condition: str | None = None
    patient: str | None = None
    alignment: str | None = None
    reference: str | None = None


def cells_of(
    folder: Path, bundle: XeniumBundle, given: Given, taken: Collection[str], config: Config
) -> Iterator[Cell]:
    """Yield the cells of the row of a slide, in the order of the sheet; ``taken`` are the names of other slides."""
    home = bundle.folder.absolute()
    places = list(dict.fromkeys([folder.absolute(), home, home.parent]))
    name = given.name or slide_name([home.name, home.parent.name], taken)
    if not re.fullmatch(SLIDE_NAME, name):
        raise ConfigError(
            f"--name: expected letters, digits and _, found {name!r}; take another name"
        )
    yield _told("slide", given.name) or Cell("slide", name, "guessed", "after the folder")
    patient = Cell("patient", name, "guessed", "taken to be a patient of its own")
    yield _told("patient", given.patient) or patient
    yield _told("tissue", given.tissue) or _tissue(bundle)
    yield _told("condition", given.condition) or Cell(
        "condition", "", "missing", "cancer or normal"
    )
    yield Cell("xenium", _path(home), "found")
    yield _told("he", _existing(given.he) if given.he else None) or _file(
        "he", find_he(places, home.name)
    )
    yield _told("alignment", _alignment(given.alignment)) or _aligned(places, home.name)
    yield _told("reference", given.reference) or _reference(config)


def _told(column: str, value: str | None) -> Cell | None:
    return Cell(column, value, "given") if value else None


def _tissue(bundle: XeniumBundle) -> Cell:
    if tissue := tissue_of(bundle.specification):
        return Cell("tissue", tissue, "guessed", "the tissue that the panel is made for")
    return Cell("tissue", "", "missing", "as it shall stand in the datasets, such as Breast")


def _alignment(given: str | None) -> str | None:
    return given if given is None or given in _WORDS else _existing(Path(given))


def _aligned(places: list[Path], bundle: str) -> Cell:
    found = find_alignment(places, bundle)
    if found.path is None:
        why = "the H&E will be placed by its nuclei"
        if found.others:
            why = f"{_names(found.others)} could be meant: say which with --alignment; else {why}"
        return Cell("alignment", "auto", "guessed", why)
    return _file("alignment", found)


def _file(column: str, found: Found) -> Cell:
    if found.path:
        beside = f"there is also {_names(found.others)}" if found.others else ""
        return Cell(column, _path(found.path), "guessed" if beside else "found", beside)
    if found.others:
        return Cell(column, "", "missing", f"{_names(found.others)} could be meant")
    why = f"none is in or beside the folder, name it with --{column}"
    return Cell(column, "", "missing", "; ".join([why, *found.refused]))


def _reference(config: Config) -> Cell:
    """Return the only atlas that is not that of a toy slide."""
    try:
        known = load_references(config.references)
    except ConfigError as error:
        return Cell("reference", "", "missing", str(error))
    own = [key for key, atlas in known.items() if not atlas.path.is_relative_to(TOYS)]
    if len(own) == 1:
        return Cell("reference", own[0], "guessed", f"the only atlas of {config.references}")
    which = f"one of {', '.join(own)}" if own else "add your atlas there and take its key"
    return Cell("reference", "", "missing", f"a key of {config.references}: {which}")


def _existing(path: Path) -> str:
    if not path.exists():
        raise InputError(f"{path}: expected a file, found nothing; check the path")
    return _path(path.absolute())


def _path(path: Path) -> str:
    """Return a path as the sheet has it: relative to the working directory where it is below that."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else os.fspath(path)


def _names(paths: tuple[Path, ...]) -> str:
    return ", ".join(path.name for path in paths)
