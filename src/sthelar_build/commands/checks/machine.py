"""Whether this machine has the room and the memory that the run will ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sthelar_build.config import Config
from sthelar_build.core.checkup import Line
from sthelar_build.core.disk_estimate import disk_mb
from sthelar_build.core.largest_job import Job, largest_job
from sthelar_build.core.wording import size
from sthelar_build.io.machine import free_mb, memory_mb, n_cores
from sthelar_build.io.run import RESULTS, Run
from sthelar_build.needs import RawSize, needs, raw_size, recipe_size
from sthelar_build.stages import STAGES

_OF_ALL_SLIDES = ("collect", "export", "describe", "compare")
"""Stages whose jobs hold something of every slide; ``export_slides`` forgets one before the next."""
_MARGIN = 1.5
"""Within this much of what is free, an estimate may be wrong."""


def check_machine(run: Run) -> Iterator[Line]:
    """Yield what the machine has, against what the slides need."""
    sizes = {name: _size(run, name) for name in run.slides}
    yield _disk(run, sizes)
    whole = _together(sizes.values())
    largest = largest_job(_stages(run.config), needs(), sizes, whole, _OF_ALL_SLIDES)
    if largest:
        yield _memory(largest, memory_mb())
    yield Line("ok", "cores", str(n_cores()))


def _size(run: Run, name: str) -> RawSize:
    """Return the raw size of a slide; of one that is still to be simulated, that of its recipe."""
    slide = run.slides[name]
    if not slide.he.exists() and run.makes(slide.he):
        return recipe_size(run.config.simulate[name])
    return raw_size([(slide.xenium, slide.he)])


def _together(sizes: Iterable[RawSize]) -> RawSize:
    each = list(sizes)
    return RawSize(
        sum(one.kcells for one in each),
        sum(one.mtranscripts for one in each),
        sum(one.he_mpx for one in each),
    )


def _stages(config: Config) -> list[str]:
    """Return the stages that the run has jobs of."""
    without = {"train"}
    if config.shards == 1:
        without |= {"gather", "gather_predictions"}
    if not config.embed.models:
        without |= {"embed"}
    if not config.evaluated_scales:
        without |= {"evaluate", "compare"}
    if config.resegment.source != "cellpose":
        without |= {"resegment"}
    if not config.simulate:
        without |= {"simulate"}
    return [stage for stage in STAGES if stage not in without]


def _disk(run: Run, sizes: dict[str, RawSize]) -> Line:
    todo = [one for name, one in sizes.items() if not (RESULTS / name / "report.html").exists()]
    free, config = free_mb(RESULTS), run.config
    here = f"{size(free * 1e6)} free where {RESULTS}/ is"
    if not todo:
        return Line("ok", "disk", f"{here}; every slide is there already")
    needed = disk_mb(_together(todo), config.scales, config.formats)
    words = f"{here}; about {size(needed * 1e6)} needed for {len(todo)} of {len(sizes)} slides"
    if free < needed:
        remedy = "free some space, make fewer formats, or run in a folder on a larger disk"
        return Line("problem", "disk", words, remedy)
    if free < _MARGIN * needed:
        return Line("warning", "disk", words, "that is close: free some space")
    return Line("ok", "disk", words)


def _memory(job: Job, there_mb: float) -> Line:
    of = f" of {job.slide}" if job.slide else ""
    words = f"{size(there_mb * 1e6)}; the largest job, {job.stage}{of}, asks for {size(job.mem_mb * 1e6)}"
    if job.mem_mb > _MARGIN * there_mb:
        remedy = "take a machine with more, or a cluster (docs/cluster.md)"
        return Line("problem", "memory", words, remedy)
    if job.mem_mb > there_mb:
        remedy = f"it may just fit; snakemake --resources mem_mb={there_mb:.0f} runs it alone"
        return Line("warning", "memory", words, remedy)
    return Line("ok", "memory", words)
