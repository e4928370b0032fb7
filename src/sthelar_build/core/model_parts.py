"""What a trained network did on one slide in one split; parts add up to splits and slides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.class_quality import nan_mean
from sthelar_build.core.confusion import Counts, overall_scores, without_row
from sthelar_build.core.detection import DetectionCounts

PATCH_METRICS = ("Dice", "Jaccard", "bPQ", "mPQ")
"""Measured patch by patch; means are over the patches in which they are defined."""
SCORES = (
    *PATCH_METRICS,
    "detection_F1",
    "accuracy",
    "balanced_accuracy",
    "macro_F1",
    "accuracy_without_other",
)
"""What a part is told by; the accuracies and macro F1 are of the classes that the drawn nuclei are voted."""


@dataclass(frozen=True)
class Part:
    """Raw counts, so that parts can be added."""

    slide: str
    split: str
    """train, valid, test, or none."""
    metrics: dict[str, NDArray[np.float64]]
    """(patches,) of each of ``PATCH_METRICS``; NaN where missing."""
    pq: NDArray[np.float64]
    """(patches, classes); NaN where a patch does not show the class."""
    counts: Counts
    """Confusion of the nuclei."""
    detection: DetectionCounts
    confidence: NDArray[np.float32]
    """(nuclei,) of the labels."""
    agrees: NDArray[np.bool_]
    """(nuclei,) the network names the class of the RNA."""
    codes: NDArray[np.uint8]
    """(nuclei,) that class."""

    @property
    def n_patches(self) -> int:
        """Predicted patches."""
        return len(self.pq)

    @property
    def n_nuclei(self) -> int:
        """Nuclei that they show, each once."""
        return len(self.agrees)

    def scores(self, other: int) -> dict[str, float]:
        """Return ``SCORES``, NaN where one is not defined; ``other`` is the code of the class Other."""
        overall = overall_scores(self.counts)
        values = (
            *(nan_mean(self.metrics[name]) for name in PATCH_METRICS),
            self.detection.scores().f1,
            *overall,
            overall_scores(without_row(self.counts, other - 1)).accuracy,
        )
        return dict(zip(SCORES, map(float, values), strict=True))


def pooled(parts: Sequence[Part], slide: str = "all") -> Part:
    """Return the parts, of one split and at least one, as one."""
    return Part(
        slide,
        parts[0].split,
        {name: _joined([part.metrics[name] for part in parts]) for name in PATCH_METRICS},
        _joined([part.pq for part in parts]),
        np.sum([part.counts for part in parts], axis=0),
        reduce(add, (part.detection for part in parts)),
        _joined([part.confidence for part in parts]),
        _joined([part.agrees for part in parts]),
        _joined([part.codes for part in parts]),
    )


def mean_pq(part: Part) -> NDArray[np.float64]:
    """Return the panoptic quality of every class: the mean over the patches that show it, NaN where none does."""
    return np.array([nan_mean(column) for column in part.pq.T], dtype=np.float64)


def _joined(arrays: list[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(arrays)
