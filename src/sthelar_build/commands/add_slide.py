"""Add a slide to the sheet after looking into its folder: what can be read or guessed is filled in, the rest is told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from sthelar_build.commands.new_slide import Given, cells_of
from sthelar_build.config import load_config
from sthelar_build.core.new_row import Cell, missing
from sthelar_build.core.raw_words import raw_words
from sthelar_build.errors import ConfigError
from sthelar_build.io.raw_checks import BUNDLE, HE, Findings, RawFiles
from sthelar_build.io.run import CONFIG_FILE, read_config
from sthelar_build.io.sheet_append import append_row, sheet_rows
from sthelar_build.io.slide_search import find_bundle
from sthelar_build.io.xenium.bundle import open_bundle
from sthelar_build.settings.preflight import PreflightSettings

Condition = Literal["cancer", "normal"]


def _maybe(what: str) -> Any:
    return typer.Option(show_default=False, help=what)


def run(
    folder: Annotated[Path, typer.Argument(help="Xenium output folder, or one that holds it.")],
    name: Annotated[str | None, _maybe("Name of the slide; else that of the folder.")] = None,
    he: Annotated[Path | None, _maybe("The H&E, where it is not found beside the bundle.")] = None,
    tissue: Annotated[str | None, _maybe("Tissue, as it will stand in the datasets.")] = None,
    condition: Annotated[Condition | None, _maybe("What the tissue is.")] = None,
    patient: Annotated[str | None, _maybe("Patient; else the name of the slide.")] = None,
    alignment: Annotated[
        str | None, _maybe("auto, identity, or a file; else what is found.")
    ] = None,
    reference: Annotated[str | None, _maybe("Key of the atlas in references.tsv.")] = None,
    configfile: Annotated[Path, typer.Option(help="The configuration.")] = CONFIG_FILE,
) -> None:
    """Look into a Xenium output folder, and write a row for it into the sheet of slides.

    The H&E and the alignment are looked for in and beside the folder. Nothing is asked; what cannot be known stays empty.
    """
    config = load_config(read_config(configfile))
    rows = sheet_rows(config.slides)
    bundle = open_bundle(find_bundle(folder))
    _refuse_twice(bundle.folder, rows, config.slides)
    given = Given(name, he, tissue, condition, patient, alignment, reference)
    taken = [row.get("slide", "") for row in rows]
    cells = list(cells_of(folder, bundle, given, taken, config))
    row = {cell.column: cell.value for cell in cells}
    read = _read(row)
    line = append_row(config.slides, row, "slide")
    _tell(f"{bundle.folder}:", [f"  {thing}: {words}" for thing, words in read.items()])
    _tell(f"{config.slides}, line {line}:", [cell.text() for cell in cells])
    _tell_what_is_next(row["slide"], cells, config.slides)


def _refuse_twice(bundle: Path, rows: Sequence[dict[str, str]], sheet: Path) -> None:
    for row in rows:
        if row.get("xenium") and Path(row["xenium"]).resolve() == bundle.resolve():
            raise ConfigError(
                f"{sheet}: expected no row for {bundle} yet, found slide {row.get('slide')}; change that row instead"
            )


def _read(row: dict[str, str]) -> dict[str, str]:
    """Return what bundle and H&E hold, in words; InputError if one of them cannot be used."""
    found = Findings()
    raw = RawFiles(row["slide"], Path(row["xenium"]), Path(row["he"]), Path(), "")
    for look in (BUNDLE, HE) if row["he"] else (BUNDLE,):
        look.at(raw, PreflightSettings(), found)
    return raw_words(found.facts)


def _tell(title: str, lines: list[str]) -> None:
    typer.echo("\n".join([title, *lines]))


def _tell_what_is_next(name: str, cells: Sequence[Cell], sheet: Path) -> None:
    if empty := missing(cells):
        typer.echo(
            f"\nThe row is not complete: fill in {', '.join(empty)} in {sheet}; until then the workflow does not start."
        )
    typer.echo(f"\nNext: sthelar-build doctor --slide {name}")
