"""Say what a run has come to: the workflow calls it at its end, people whenever they like."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from sthelar_build.config import Config, load_config
from sthelar_build.core.run_outcome import failure_lines, slide_table
from sthelar_build.errors import SthelarError
from sthelar_build.io.outcomes import dataset_pages, read_failures, read_outcome
from sthelar_build.io.run import CONFIG_FILE, read_config
from sthelar_build.sheets import load_slides

MaybeLog = Annotated[
    Path | None, typer.Option(help="Log of Snakemake: the jobs that failed in it are named.")
]
Values = Annotated[
    str | None, typer.Option(help="The configuration as JSON, in place of the file.", hidden=True)
]


def run(
    log: MaybeLog = None,
    configfile: Annotated[Path, typer.Option(help="The configuration.")] = CONFIG_FILE,
    values: Values = None,
) -> None:
    """Say what was made, the verdict on every slide, where to look, and what failed.

    Nothing is written or computed anew: only results and logs that are there are read.
    """
    config = load_config(json.loads(values) if values else read_config(configfile))
    lines = [*_made(config), *(failure_lines(list(read_failures(log))) if log else ())]
    typer.echo("\n".join(["", *lines]))


def _made(config: Config) -> Iterator[str]:
    slides = load_slides(config.slides)
    outcomes, unfinished = [], []
    for slide in slides:
        try:
            outcome = read_outcome(slide, config)
        except SthelarError as error:
            unfinished.append(f"  {slide}: {error}")
            continue
        if outcome:
            outcomes.append(outcome)
        else:
            unfinished.append(f"  {slide}: not finished")
    yield f"{len(outcomes)} of {len(slides)} slides are finished:"
    yield from slide_table(outcomes)
    yield from unfinished
    if pages := dataset_pages(config):
        yield f"Datasets: {', '.join(map(str, pages))}"
    if not unfinished:
        yield "All figures, side by side: snakemake --report report.zip"
