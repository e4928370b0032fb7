"""Whether a network disagrees where the labels themselves are unsure: agreement by decile of their confidence."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BINS = 10


@dataclass(frozen=True)
class ConfidenceBin:
    """Nuclei whose labels are about as sure."""

    low: float
    high: float
    n: int
    n_disagreeing: int
    n_expected: float
    """How many would disagree if, in each class, they did so as often as all of it do."""

    @property
    def agreement(self) -> float:
        """Share of the nuclei whose class the network gives."""
        return 1 - self.n_disagreeing / self.n

    @property
    def expected_agreement(self) -> float:
        """What the classes of the bin make one expect, whatever the confidence."""
        return 1 - self.n_expected / self.n


@dataclass(frozen=True)
class LowestShare:
    """The nuclei with the least confident labels, as shares of all."""

    nuclei: float
    disagreement: float
    """Share of the disagreement that they hold."""
    expected: float
    """Share that they would hold by their classes alone."""


def confidence_bins(
    confidence: NDArray[Any], agrees: NDArray[np.bool_], codes: NDArray[np.integer]
) -> list[ConfidenceBin]:
    """Return the deciles of the confidence, lowest first; ``codes`` are the classes of the labels, 0 and on.

    Equal labels are never told apart: a decile that would end among equal values ends before or after them, whatever is
    nearer, and deciles that then end at one place are one bin.
    """
    order = np.argsort(confidence, kind="stable")
    values = np.asarray(confidence, dtype=np.float64)[order]
    wrong, expected = (
        np.concatenate([[0], np.cumsum(each[order])]) for each in (~agrees, _rates(agrees, codes))
    )
    ends = [0, *_ends(values)]
    return [
        ConfidenceBin(
            float(values[start]),
            float(values[stop - 1]),
            stop - start,
            int(wrong[stop] - wrong[start]),
            float(expected[stop] - expected[start]),
        )
        for start, stop in pairwise(ends)
    ]


def _rates(agrees: NDArray[np.bool_], codes: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return for every nucleus how often its class disagrees."""
    n = np.bincount(codes)
    return np.asarray((np.bincount(codes, ~agrees) / np.maximum(n, 1))[codes])


def _ends(values: NDArray[np.float64]) -> list[int]:
    """Return where the bins of ascending values end."""
    if not len(values):
        return []
    changes = np.append(np.flatnonzero(np.diff(values)) + 1, len(values))
    wanted = np.arange(1, _BINS + 1) * len(values) / _BINS
    after = np.minimum(np.searchsorted(changes, wanted), len(changes) - 1)
    before = np.maximum(after - 1, 0)
    nearer = wanted - changes[before] < changes[after] - wanted
    return [int(end) for end in np.unique(changes[np.where(nearer, before, after)])]


def lowest_share(bins: list[ConfidenceBin], share: float) -> LowestShare | None:
    """Return what the lowest bins hold.

    So many bins are taken that their share is as near to ``share`` as it comes; the lowest is always taken, the highest
    never. None where nothing disagrees, or where there is one bin only.
    """
    columns = ((one.n, one.n_disagreeing, one.n_expected) for one in bins)
    n, wrong, expected = np.array(list(columns), dtype=np.float64).reshape(-1, 3).T
    if len(bins) < 2 or not wrong.sum():
        return None
    taken = 1 + int(np.abs(np.cumsum(n)[:-1] / n.sum() - share).argmin())
    return LowestShare(*(float(each[:taken].sum() / each.sum()) for each in (n, wrong, expected)))
