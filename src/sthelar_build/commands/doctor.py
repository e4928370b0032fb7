"""Look at everything that a run needs before hours are spent: the installation, the machine, the sheets, every raw file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from sthelar_build.commands.checks.configuration import check_configuration
from sthelar_build.commands.checks.installation import check_installation
from sthelar_build.commands.checks.machine import check_machine
from sthelar_build.commands.checks.raw_files import check_slide
from sthelar_build.commands.slide_names import slide_names
from sthelar_build.core.checkup import Mark, Section, closing, n_marked
from sthelar_build.errors import ConfigError
from sthelar_build.io.curation_targets import hint
from sthelar_build.io.run import CONFIG_FILE, Run

_COLOURS: dict[Mark, str | None] = {"ok": None, "warning": "yellow", "problem": "red"}


def run(
    slide: Annotated[
        str | None, typer.Option(help="Look at this slide only.", autocompletion=slide_names)
    ] = None,
    configfile: Annotated[Path, typer.Option(help="The configuration.")] = CONFIG_FILE,
) -> None:
    """Check installation, machine, configuration, sheets and every raw file before you run.

    Nothing is written. Exit status 1 if a problem was found.
    """
    sections = []
    for section in _sections(configfile, slide):
        _show(section)
        sections.append(section)
    typer.echo(f"\n{closing(sections)}")
    raise typer.Exit(1 if n_marked(sections, "problem") else 0)


def _sections(configfile: Path, slide: str | None) -> Iterator[Section]:
    found, lines = check_configuration(configfile)
    if found and slide:
        found = _only(found, slide)
    yield Section("Installation", tuple(check_installation(found.config if found else None)))
    yield Section("Configuration and sheets", tuple(lines))
    if found is None:
        return
    yield Section("This machine", tuple(check_machine(found)))
    for name in found.slides:
        yield Section(f"Slide {name}", tuple(check_slide(found, name)))


def _only(found: Run, slide: str) -> Run:
    if slide not in found.slides:
        raise ConfigError(
            f"{found.config.slides}: expected a slide of this name, found none{hint(slide, found.slides)}"
        )
    return Run(found.config, {slide: found.slides[slide]}, found.references)


def _show(section: Section) -> None:
    typer.echo(f"{section.title}")
    for line in section.lines:
        typer.secho(line.text(), fg=_COLOURS[line.mark])
