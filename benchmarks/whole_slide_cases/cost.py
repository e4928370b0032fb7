"""What every job of finished runs took, and how that grows with the slide."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from whole_slide_cases.watched import read_peaks

LARGEST_CELLS = 1_350_000
"""Cells of the largest slide known."""


def read_costs(folder: Path) -> pd.DataFrame:
    """Return one row per job of a run: ``job``, ``wall_s``, ``cpu_s``, ``peak_mb``."""
    peaks = read_peaks(folder)
    rows = []
    for path in sorted((folder / "logs").rglob("*.tsv")):
        table = pd.read_csv(path, sep="\t", na_values=["NA", "-"])
        peak_mb = max(float(table["max_rss"].max(skipna=True) or 0), peaks.get(path.stem, 0.0))
        cpu_s = float(table["cpu_time"].iloc[-1])
        rows.append((path.stem, float(table["s"].iloc[-1]), cpu_s, peak_mb))
    return pd.DataFrame(rows, columns=["job", "wall_s", "cpu_s", "peak_mb"])


def growth(sizes: np.ndarray, values: np.ndarray) -> float:
    """Return the exponent of growth: the slope of a line through the logarithms; NaN for fewer than two sizes."""
    known = np.isfinite(values) & (values > 0)
    if known.sum() < 2:
        return float("nan")
    return float(np.polyfit(np.log(sizes[known]), np.log(values[known]), 1)[0])


def expected(sizes: np.ndarray, values: np.ndarray, at: float) -> float:
    """Return what the largest slide would take: by the growth between the two largest sizes, at least linear from there.

    A constant part makes the exponent of small slides too low, so the larger of both says more.
    """
    known = np.flatnonzero(np.isfinite(values) & (values > 0))
    if len(known) < 2:
        return float("nan")
    before, last = known[-2:]
    slope = (values[last] - values[before]) / (sizes[last] - sizes[before])
    straight = values[last] + max(slope, 0.0) * (at - sizes[last])
    power = values[last] * (at / sizes[last]) ** max(
        growth(sizes[[before, last]], values[[before, last]]), 0.0
    )
    return float(max(straight, power))


def scaling(runs: dict[int, pd.DataFrame]) -> pd.DataFrame:
    """Return jobs x sizes: seconds and MB at every size, exponents, and what the largest slide would take."""
    jobs = list(dict.fromkeys(job for run in runs.values() for job in run["job"]))
    sizes = np.array(sorted(runs), dtype=float)
    table = pd.DataFrame(index=pd.Index(jobs, name="job"))
    for unit in ("wall_s", "cpu_s", "peak_mb"):
        for size in sorted(runs):
            table[f"{unit} {size}"] = runs[size].set_index("job")[unit].reindex(jobs).round(1)
    for unit in ("cpu_s", "peak_mb"):
        values = table[[f"{unit} {int(size)}" for size in sizes]].to_numpy()
        table[f"{unit} exponent"] = [round(growth(sizes, row), 2) for row in values]
        table[f"{unit} at {LARGEST_CELLS}"] = [
            round(expected(sizes, row, LARGEST_CELLS))
            if np.isfinite(expected(sizes, row, LARGEST_CELLS))
            else np.nan
            for row in values
        ]
    return table
