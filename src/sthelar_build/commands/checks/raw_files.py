"""Whether the raw files of a slide can be used: the same looks as those of ``preflight``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sthelar_build.commands.checks.attempt import attempt
from sthelar_build.core.checkup import Line
from sthelar_build.core.raw_words import raw_words
from sthelar_build.io.raw_checks import LOOKS, Findings, Look, RawFiles
from sthelar_build.io.run import Run
from sthelar_build.settings.preflight import PreflightSettings


def check_slide(run: Run, name: str) -> Iterator[Line]:
    """Yield what was found in the raw files of a slide."""
    pending = [path for path in _paths(run, name) if not path.exists() and run.makes(path)]
    if pending:
        yield Line("ok", "raw files", f"the workflow will simulate them ({pending[0].parent})")
        return
    raw, found = _raw(run, name), Findings()
    for look in LOOKS:
        yield from _looked(look, raw, run.config.preflight, found)


def _paths(run: Run, name: str) -> list[Path]:
    return [*run.slides[name].files, run.reference_of(name).path]


def _raw(run: Run, name: str) -> RawFiles:
    slide, atlas = run.slides[name], run.reference_of(name)
    predicted = [slide.predictions_at(scale) for scale in run.config.scales]
    return RawFiles(
        slide=name,
        xenium=slide.xenium,
        he=slide.he,
        reference=atlas.path,
        label_key=atlas.label_key,
        layer=atlas.layer,
        alignment=slide.alignment_file,
        label_map=atlas.label_map,
        predictions=[path for path in predicted if path],
        nuclei=slide.nuclei,
    )


def _looked(
    look: Look, raw: RawFiles, settings: PreflightSettings, found: Findings
) -> Iterator[Line]:
    if not set(look.after) <= found.facts.keys():
        yield Line("warning", look.name, "not looked at: it is compared with what is marked above")
        return
    n_before = len(found.problems)
    failed = attempt(look.name, lambda: look.at(raw, settings, found))
    if isinstance(failed, Line):
        yield failed
        return
    warnings = found.problems[n_before:]
    if words := raw_words(found.facts).get(look.name):
        yield Line("ok", look.name, words)
    for warning in warnings:
        yield Line("warning", look.name, warning)
