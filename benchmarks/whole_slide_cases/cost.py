"""What every job of finished runs took, what its rule asks for, and how it grows with the slide."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.needs import needs, raw_size, recipe_size
from sthelar_build.settings.simulate import SimulateSettings
from sthelar_build.stages import STAGES
from whole_slide_cases.large_slide import SLIDE, SlideSize
from whole_slide_cases.watched import read_peaks

LARGEST_CELLS = 1_350_000
"""Cells of the largest slide known."""
_GROWING = ("cpu_s", "peak_mb")
Values = NDArray[np.float64]


def read_costs(folder: Path, size: SlideSize) -> pd.DataFrame:
    """Return one row per finished job of a run: ``job``, ``wall_s``, ``cpu_s``, ``peak_mb``, ``asked_mb``."""
    peaks = read_peaks(folder)
    rows = []
    for path in sorted((folder / "logs").rglob("*.tsv")):
        table = pd.read_csv(path, sep="\t", na_values=["NA", "-"])
        took = table[["s", "cpu_time", "max_rss"]].max()
        peak_mb = max(float(took["max_rss"]), peaks.get(path.stem, 0.0))
        rows.append(
            (path.stem, took["s"], took["cpu_time"], peak_mb, asked_mb(path.stem, folder, size))
        )
    return pd.DataFrame(rows, columns=["job", "wall_s", "cpu_s", "peak_mb", "asked_mb"])


def asked_mb(job: str, folder: Path, size: SlideSize) -> int:
    """Return the memory that the rule of a job asks for at its first attempt, with one thread."""
    stage = max((stage for stage in STAGES if job.startswith(stage)), key=len)
    if stage == "simulate":
        return needs()[stage].mem_mb(recipe_size(SimulateSettings(**size.recipe())))
    slide = folder / "resources/toy" / SLIDE
    return needs()[stage].mem_mb(raw_size([(slide / "xenium", slide / "he_image.ome.tif")]))


def too_much(costs: pd.DataFrame) -> list[str]:
    """Return a line for every job that took more memory than its rule asks for."""
    over = costs[costs["peak_mb"] > costs["asked_mb"]]
    return [
        f"{job.job}: took {job.peak_mb:.0f} MB, asked for {job.asked_mb}"
        for job in over.itertuples()
    ]


def growth(sizes: Values, values: Values) -> float:
    """Return the exponent of growth: the slope of a line through the logarithms; NaN for fewer than two sizes."""
    known = np.isfinite(values) & (values > 0)
    if known.sum() < 2:
        return float("nan")
    return float(np.polyfit(np.log(sizes[known]), np.log(values[known]), 1)[0])


def expected(sizes: Values, values: Values, at: float) -> float:
    """Return what a larger slide would take, by the straight line through the two largest sizes; NaN for fewer than two.

    A part that is the same for all slides makes exponents of small slides too low, but not the line.
    """
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < 2:
        return float("nan")
    before, last = known[-2:]
    slope = (values[last] - values[before]) / (sizes[last] - sizes[before])
    return float(values[last] + max(slope, 0.0) * (at - sizes[last]))


def scaling(runs: dict[int, pd.DataFrame]) -> pd.DataFrame:
    """Return jobs x sizes: seconds and MB at every size, exponents, and what the largest slide would take."""
    jobs = list(dict.fromkeys(job for run in runs.values() for job in run["job"]))
    sizes = np.array(sorted(runs), dtype=float)
    table = pd.DataFrame(index=pd.Index(jobs, name="job"))
    for unit in ("wall_s", *_GROWING, "asked_mb"):
        for size in sorted(runs):
            table[f"{unit} {size}"] = runs[size].set_index("job")[unit].reindex(jobs).round(1)
    for unit in _GROWING:
        values = table[[f"{unit} {int(size)}" for size in sizes]].to_numpy(np.float64)
        table[f"{unit} exponent"] = np.round([growth(sizes, row) for row in values], 2)
        largest = [expected(sizes, row, LARGEST_CELLS) for row in values]
        table[f"{unit} at {LARGEST_CELLS}"] = np.round(largest)
    return table
