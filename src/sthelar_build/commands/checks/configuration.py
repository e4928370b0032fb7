"""Whether configuration, sheets and the files that they name fit together: by the rules of the workflow itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from sthelar_build.commands.checks.attempt import attempt
from sthelar_build.config import load_config
from sthelar_build.core.checkup import Line
from sthelar_build.io.curation_targets import strays
from sthelar_build.io.run import CHECKS, Run, named_files, read_config
from sthelar_build.sheets import load_references, load_slides


def check_configuration(path: Path) -> tuple[Run | None, list[Line]]:
    """Return the run, None if it cannot be read, and what is to be said of it."""
    config = attempt(str(path), lambda: load_config(read_config(path)))
    if isinstance(config, Line):
        return None, [config]
    lines = [Line("ok", str(path), _words(list(config.scales), config.formats))]
    slides = attempt("sheet of slides", partial(load_slides, config.slides))
    references = attempt("sheet of references", partial(load_references, config.references))
    if isinstance(slides, Line) or isinstance(references, Line):
        return None, lines + [one for one in (slides, references) if isinstance(one, Line)]
    run = Run(config, slides, references)
    lines.append(Line("ok", str(config.slides), _listed(list(slides), "slide")))
    lines.append(Line("ok", str(config.references), _listed(list(references), "atlas")))
    return run, [*lines, *_joined(run), *_files(run)]


def _words(scales: list[str], formats: tuple[str, ...]) -> str:
    return f"scales {', '.join(scales)}; formats {', '.join(formats) or 'none'}"


def _listed(names: list[str], what: str) -> str:
    plural = {"slide": "slides", "atlas": "atlases"}[what]
    shown = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
    return f"{len(names)} {what if len(names) == 1 else plural} ({shown})"


def _joined(run: Run) -> Iterator[Line]:
    for check in CHECKS:
        found = attempt("together", partial(check, run))
        if isinstance(found, Line):
            yield found
    for table in strays(run.config.curation, run.slides):
        yield Line(
            "warning",
            str(table),
            "decides nothing, as no slide has this name",
            "rename it, or move it away",
        )


def _files(run: Run) -> Iterator[Line]:
    for key, path in dict.fromkeys(named_files(run.config)):
        if not path.exists():
            yield Line(
                "problem",
                key,
                f"expected {path}, found nothing",
                "correct the path in the configuration",
            )
