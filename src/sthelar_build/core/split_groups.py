"""Whole groups (patients, slides) shared out between train, valid and test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.splits import EMPTY_COST, Splits, share_costs

_STARTS = 24
_MOST_SWAPPED = 200
"""Beyond so many groups single moves reach the shares; swaps would take memory by the square."""
_LEAST_GAIN = 1e-12


def assign_groups(
    features: NDArray[np.float64],
    shares: Sequence[float],
    rng: np.random.Generator,
    weights: NDArray[np.float64] | None = None,
) -> Splits:
    """Give whole groups to splits so that every feature is shared out as wanted.

    Parameters
    ----------
    features
        (n_groups, n_features) amounts, not negative: patches, nuclei of each class, patches of each tissue.
    shares
        Wanted share of each split in every feature; sums to 1.
    rng
        Draws the assignments that the search starts from.
    weights
        (n_features,) how much a feature matters; all alike by default. A feature that no group has does not matter.

    Returns
    -------
    The split of every group. With at least as many groups as splits none is empty. From several starts the best
    move or swap is made as long as one lowers the squared deviation from the shares; the best end is taken.
    """
    totals = features.sum(axis=0)
    present = totals > 0
    amounts = features[:, present] / totals[present]
    weight = np.ones(int(present.sum())) if weights is None else weights[present]
    best, best_cost = np.empty(0, dtype=np.int8), np.inf
    for start in _starts(amounts, shares, rng):
        splits, cost = _improved(start, amounts, shares, weight)
        if cost < best_cost - _LEAST_GAIN:
            best, best_cost = splits, cost
    return best


def _starts(
    amounts: NDArray[np.float64], shares: Sequence[float], rng: np.random.Generator
) -> list[Splits]:
    """Return the largest groups in turn to the split that lacks most, and draws at random."""
    size = amounts.sum(axis=1)
    greedy, filled = np.zeros(len(amounts), dtype=np.int8), np.zeros(len(shares))
    for group in np.argsort(-size, kind="stable"):
        greedy[group] = int(np.argmax(np.asarray(shares) * max(size.sum(), 1e-300) - filled))
        filled[greedy[group]] += size[group]
    drawn = rng.choice(len(shares), size=(_STARTS, len(amounts)), p=shares)
    return [greedy, *drawn.astype(np.int8)]


def _improved(
    splits: Splits,
    amounts: NDArray[np.float64],
    shares: Sequence[float],
    weights: NDArray[np.float64],
) -> tuple[Splits, float]:
    best = splits.copy()
    cost = float(_costs(best[None], amounts, shares, weights)[0])
    while len(best):
        candidates = _neighbours(best, len(shares))
        costs = _costs(candidates, amounts, shares, weights)
        if costs.min() >= cost - _LEAST_GAIN:
            break
        best, cost = candidates[costs.argmin()], float(costs.min())
    return best, cost


def _costs(
    candidates: Splits,
    amounts: NDArray[np.float64],
    shares: Sequence[float],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the cost of every row of ``candidates`` (n, n_groups)."""
    inside = candidates[:, None, :] == np.arange(len(shares))[:, None]
    empty = (~inside.any(axis=2) & (np.asarray(shares) > 0)).sum(axis=1)
    return np.asarray(share_costs(inside @ amounts, shares, weights) + EMPTY_COST * empty)


def _neighbours(splits: Splits, n_splits: int) -> Splits:
    """Return all that differ by the move of one group or, where there are few, by the swap of two."""
    n = len(splits)
    moved = np.repeat(splits[None], n * n_splits, axis=0)
    moved[np.arange(n * n_splits), np.repeat(np.arange(n), n_splits)] = np.tile(
        np.arange(n_splits), n
    )
    if n > _MOST_SWAPPED:
        return moved
    one, other = np.triu_indices(n, 1)
    differ = splits[one] != splits[other]
    one, other = one[differ], other[differ]
    swapped = np.repeat(splits[None], len(one), axis=0)
    swapped[np.arange(len(one)), one] = splits[other]
    swapped[np.arange(len(one)), other] = splits[one]
    return np.concatenate([moved, swapped])
