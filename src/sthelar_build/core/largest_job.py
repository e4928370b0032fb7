"""The job of a run that asks for the most memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sthelar_build.needs import Need, RawSize


class Job(NamedTuple):
    """A job, and what it asks for."""

    stage: str
    slide: str
    """Empty for a job of all slides."""
    mem_mb: int
    minutes: int


def largest_job(
    stages: Iterable[str],
    needs: Mapping[str, Need],
    sizes: Mapping[str, RawSize],
    whole: RawSize,
    of_all: Iterable[str],
) -> Job | None:
    """Return the job that asks for the most memory; None without stages or slides; of equal ones the first.

    ``sizes`` are of the slides, by name, ``whole`` is that of all of them, which stages in ``of_all`` take at once.
    """
    together = set(of_all)
    jobs = [
        Job(stage, slide, needs[stage].mem_mb(size), needs[stage].runtime(size))
        for stage in stages
        for slide, size in ({"": whole} if stage in together else sizes).items()
    ]
    return max(jobs, key=lambda job: job.mem_mb, default=None)
