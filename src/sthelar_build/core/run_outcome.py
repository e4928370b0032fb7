"""What a run has come to, as a few lines: the verdict on every slide, what failed, and where to look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sthelar_build.core.failed_jobs import FailedJob
from sthelar_build.core.slide_verdicts import Status
from sthelar_build.core.wording import number, percent

_HEAD = ("slide", "verdict", "registration", "labels", "masks", "report")


@dataclass(frozen=True)
class SlideOutcome:
    """A slide that has a report."""

    name: str
    verdicts: Mapping[str, Status]
    """As ``slide_verdicts`` gives them."""
    median_um: float | None
    """Of the registration."""
    decided_share: float
    """Of the cells with enough transcripts, those whose class rests on evidence."""
    jaccards: Mapping[str, float | None]
    """Median over the patches, by scale."""
    report: str
    reasons: Sequence[str] = field(default=())
    """What lowered the verdict on the registration."""


def slide_table(outcomes: Sequence[SlideOutcome]) -> Iterator[str]:
    """Yield a line for every slide below one of headings, and what the figures are."""
    if not outcomes:
        return
    rows = [_HEAD, *map(_row, outcomes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        cells = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        yield "  " + "  ".join(cells).rstrip()
    scales = " and ".join(outcomes[0].jaccards)
    yield f"  (registration: median error; labels: cells whose class rests on evidence; masks: median Jaccard at {scales})"
    for outcome in outcomes:
        for reason in outcome.reasons:
            yield f"  {outcome.name}: {reason}"


def _row(outcome: SlideOutcome) -> tuple[str, ...]:
    verdicts = outcome.verdicts
    jaccards = ", ".join(map(number, outcome.jaccards.values()))
    return (
        outcome.name,
        verdicts["overall"],
        f"{verdicts['alignment']}, {number(outcome.median_um)} um",
        f"{verdicts['labels']}, {percent(outcome.decided_share)}",
        f"{verdicts['masks']}, {jaccards}",
        outcome.report,
    )


def failure_lines(failed: Sequence[tuple[FailedJob, str | None]]) -> Iterator[str]:
    """Yield what failed and what to do; each job comes with the error that its log ends with, None where it has none."""
    if not failed:
        return
    yield f"{len(failed)} job{'s' * (len(failed) != 1)} failed:"
    for job, error in failed:
        where = f"{job.of}, {job.rule}" if job.of else job.rule
        yield f"  {where}: {error or 'its log names no error: it was probably killed, for memory or time'}"
        if job.log:
            yield f"    log: {job.log}"
    if any(error is None for _, error in failed):
        yield "Killed jobs: snakemake --retries 2 asks for more memory and time each time; on one machine, --resources mem_mb=..."
    yield "Mend it and give the same command again: what is finished is kept."


def last_error(log: str) -> str | None:
    r"""Return the error that a log of a stage ends with; None if it ends without one.

    >>> last_error("... INFO ...\nerror: he.tif: expected an image, found none; check it\n")
    'he.tif: expected an image, found none; check it'
    """
    lines = [line for line in log.splitlines() if line.strip()]
    said = lines[-1] if lines else ""
    return said.removeprefix("error: ") if said.startswith("error: ") else _exception(lines)


def _exception(lines: Sequence[str]) -> str | None:
    """Return the last line of a traceback: a mistake of ours, which should be told."""
    if not any(line.startswith("Traceback ") for line in lines):
        return None
    return f"{lines[-1]} (a mistake of this project: please report it, with the log)"
