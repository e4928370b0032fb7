"""Slides that are unlike the others of their dataset: which measure, and how far off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sthelar_build.core.consistency import robust_deviations
from sthelar_build.core.wording import number, percent


@dataclass(frozen=True)
class Measure:
    """What slides are compared by."""

    key: str
    """In the row of a slide, see ``slide_row``."""
    words: str
    unit: str
    digits: int
    least_spread: float
    """Slides that differ by less than this are alike, in the unit, or in log2 where ``ratio``; it keeps nearly equal slides from
    standing out."""
    ratio: bool = False
    """Compared by how many times as much it is."""

    def told(self, value: float | None) -> str:
        """Return a value with its unit."""
        if self.unit == "%":
            return percent(value)
        return number(value, self.digits) + (
            f" {self.unit}" if self.unit and value is not None else ""
        )


MEASURES = (
    Measure("median_um", "median error of the registration", "\N{MICRO SIGN}m", 2, 0.25),
    Measure("decided_share", "share of the cells whose class rests on evidence", "%", 1, 0.02),
    Measure("mean_confidence", "mean confidence of the labels", "", 2, 0.02),
    Measure("median_jaccard", "median Jaccard index of the masks", "", 2, 0.02),
    Measure("kept_share", "share of the patches whose masks agree", "%", 1, 0.02),
    Measure("nuclei_per_patch", "nuclei in a patch (median)", "", 0, 0.2, ratio=True),
    Measure("median_blur_um", "blur (median)", "\N{MICRO SIGN}m", 2, 0.05),
)


@dataclass(frozen=True)
class Outlier:
    """One slide that one measure sets apart."""

    slide: str
    key: str
    deviation: float
    """Distance from the median of all slides, in robust standard deviations."""
    words: str


def slide_outliers(
    rows: Sequence[Mapping[str, Any]], max_deviation: float, min_slides: int
) -> list[Outlier]:
    """Return the slides further than ``max_deviation`` from the median, the farthest first.

    Distances are in robust standard deviations (1.4826 MAD; Iglewicz & Hoaglin 1993), with a least spread for every
    measure. A measure that fewer than ``min_slides`` slides have is not judged: of few, none can be called the odd one.
    """
    found = [
        outlier
        for measure in MEASURES
        for outlier in _of_measure(measure, rows, max_deviation, min_slides)
    ]
    return sorted(found, key=lambda one: (-abs(one.deviation), one.slide, one.key))


def _of_measure(
    measure: Measure, rows: Sequence[Mapping[str, Any]], max_deviation: float, min_slides: int
) -> list[Outlier]:
    known = [row for row in rows if row[measure.key] is not None]
    if len(known) < min_slides:
        return []
    values = np.array([row[measure.key] for row in known], dtype=np.float64)
    compared = np.log2(np.maximum(values, 1)) if measure.ratio else values
    deviations = robust_deviations(compared, measure.least_spread)
    return [
        Outlier(
            str(row["name"]),
            measure.key,
            float(deviation),
            _words(measure, float(values[i]), np.delete(values, i), float(deviation)),
        )
        for i, (row, deviation) in enumerate(zip(known, deviations, strict=True))
        if abs(deviation) > max_deviation
    ]


def _words(measure: Measure, value: float, others: np.ndarray, deviation: float) -> str:
    side = "above" if deviation > 0 else "below"
    low, middle, high = (measure.told(float(f(others))) for f in (np.min, np.median, np.max))
    return (
        f"{measure.words} {measure.told(value)}; the other {len(others)} slides have {middle} ({low} to {high}): "
        f"{abs(deviation):.1f} robust standard deviations {side}"
    )
