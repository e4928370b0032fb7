"""A confusion matrix and what can be read off it: precision, recall, F1, accuracy, the pairs that are mixed up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
"""(classes, codes): rows are true classes, of codes 1 to n; columns are codes 0 (background) and on."""


class ClassScores(NamedTuple):
    """(classes,) each; NaN where nothing is there to divide by."""

    n: Counts
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]


class OverallScores(NamedTuple):
    """NaN where nothing is counted."""

    accuracy: float
    balanced_accuracy: float
    """Mean recall of the classes that are there."""
    macro_f1: float
    """Mean F1 of the classes that are there."""


class Confusion(NamedTuple):
    """One class taken for another."""

    true: str
    predicted: str
    n: int
    share: float
    """Of the nuclei of the true class."""


def confusion(true: NDArray[Any], predicted: NDArray[Any], n_classes: int, n_codes: int) -> Counts:
    """Count pairs of codes: (n_classes, n_codes).

    ``true`` holds codes 1 to ``n_classes``, ``predicted`` codes 0 to ``n_codes - 1``.
    """
    keys = (true.astype(np.int64) - 1) * n_codes + predicted
    return np.bincount(keys, minlength=n_classes * n_codes).reshape(n_classes, n_codes)


def class_scores(counts: Counts) -> ClassScores:
    """Return precision, recall and F1 of every class; predictions of background are misses."""
    n_classes = len(counts)
    hits = np.diagonal(counts[:, 1:]).astype(np.float64)
    n, named = counts.sum(axis=1), counts[:, 1 : n_classes + 1].sum(axis=0)
    return ClassScores(n, _ratio(hits, named), _ratio(hits, n), _ratio(2 * hits, n + named))


def overall_scores(counts: Counts) -> OverallScores:
    """Return the scores over all classes."""
    of_class = class_scores(counts)
    there = of_class.n > 0
    if not there.any():
        return OverallScores(np.nan, np.nan, np.nan)
    hits = np.diagonal(counts[:, 1:]).sum()
    means = (float(values[there].mean()) for values in (of_class.recall, of_class.f1))
    return OverallScores(float(hits / counts.sum()), *means)


def without_row(counts: Counts, row: int) -> Counts:
    """Return the matrix without the nuclei of a class; others may still be taken for it."""
    kept = counts.copy()
    kept[row] = 0
    return kept


def top_confusions(
    counts: Counts, names: Sequence[str], least_share: float, least_n: int
) -> list[Confusion]:
    """Return the pairs that are mixed up, largest share first.

    ``names`` are of the codes. Only classes of at least ``least_n`` nuclei are told of, and pairs of at least
    ``least_share`` of them.
    """
    found = [
        Confusion(names[row + 1], names[column], int(counts[row, column]), counts[row, column] / n)
        for row, n in enumerate(counts.sum(axis=1))
        for column in range(counts.shape[1])
        if column != row + 1 and n >= least_n and counts[row, column] >= max(1, least_share * n)
    ]
    return sorted(found, key=lambda one: (-one.share, one.true, one.predicted))


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    out = np.full(len(part), np.nan)
    return np.asarray(np.divide(part, whole, out=out, where=whole > 0))
