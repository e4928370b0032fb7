"""Train, valid and test without leaks, and the counts that prove it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import combinations, permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

SPLIT_NAMES = ("train", "valid", "test")
"""Names of the splits; everywhere in this module a split is its position here, and -1 is none."""

Splits = NDArray[np.int8]

_NONE = -1
_EMPTY_COST = 10.0
_GUARD_COST = 0.1


def assign_groups(
    features: NDArray[np.float64], shares: Sequence[float], rng: np.random.Generator
) -> Splits:
    """Give whole groups (patients, slides) to splits so that every feature is shared out as wanted.

    Parameters
    ----------
    features
        (n_groups, n_features) amounts, not negative: patches, nuclei of each class, patches of each tissue.
    shares
        Wanted share of each split in every feature; sums to 1.
    rng
        Breaks ties.

    Returns
    -------
    The split of every group. With at least as many groups as splits none is empty. Greedy from the largest group,
    then single moves and swaps as long as they lower the squared deviation from the shares.
    """
    totals = features.sum(axis=0)
    amounts = features[:, totals > 0] / totals[totals > 0]
    splits = np.full(len(features), _NONE, dtype=np.int8)
    shuffled = rng.permutation(len(features))
    for group in shuffled[np.argsort(-amounts[shuffled].sum(axis=1), kind="stable")]:
        costs = [
            _cost(np.where(np.arange(len(splits)) == group, s, splits), amounts, shares)
            for s in range(len(shares))
        ]
        splits[group] = int(np.argmin(costs))
    return _improved(splits, amounts, shares)


def assign_bands(
    x_px: NDArray[Any],
    y_px: NDArray[Any],
    side_px: int,
    shares: Sequence[float],
    guard_px: int,
    rng: np.random.Generator,
) -> Splits:
    """Cut one slide into three bands across its longer axis, with a guard between them.

    Parameters
    ----------
    x_px, y_px
        Left and top edge of every patch; all have side ``side_px``.
    shares
        Wanted share of train, valid and test among the patches that are kept.
    guard_px
        Least gap between the pixels of two splits.
    rng
        Chooses the order of the bands among those that fit the shares about as well.

    Returns
    -------
    The split of every patch, -1 for those in the guard. A slide too small for three bands gets two, or one.
    """
    if not len(x_px):
        return np.empty(0, dtype=np.int8)
    along = x_px if np.ptp(x_px) >= np.ptp(y_px) else y_px
    starts, n_at = np.unique(along, return_counts=True)
    # after[i]: the first start that clears a band whose last patch begins at starts[i]
    after = np.searchsorted(starts, starts + side_px + guard_px)
    first, second = _band_ends(len(starts), after)
    sizes = _band_sizes(n_at, after, first, second)
    best, order = _best_order(sizes, len(along), shares, rng)
    a, b = first[best], second[best]
    position = np.searchsorted(starts, along)
    splits = np.full(len(along), _NONE, dtype=np.int8)
    splits[position <= a] = order[0]
    splits[(position >= after[a]) & (position <= b)] = order[1]
    splits[position >= after[b]] = order[2]
    return splits


def assign_at_random(n: int, shares: Sequence[float], rng: np.random.Generator) -> Splits:
    """Shuffle patches into splits; overlapping neighbours and nuclei leak, as in the published splits."""
    splits = np.searchsorted(np.cumsum(shares)[:-1] * n, np.arange(n), side="right")
    return np.asarray(rng.permutation(splits), dtype=np.int8)


def without_shared_nuclei(
    splits: Splits, patch_row: NDArray[np.int64], nucleus: NDArray[Any]
) -> Splits:
    """Take patches out until no nucleus is drawn in two splits.

    ``patch_row`` and ``nucleus`` have one entry per nucleus and patch. A nucleus stays in the
    smallest of its splits; its patches in the others become -1.
    """
    seen = splits[patch_row] != _NONE
    rows, (_, key) = patch_row[seen], np.unique(nucleus[seen], return_inverse=True)
    sizes = np.bincount(splits[splits != _NONE], minlength=len(SPLIT_NAMES))
    rank = np.argsort(np.argsort(sizes, kind="stable"), kind="stable")[splits[rows]]
    least = np.full(key.max(initial=-1) + 1, len(SPLIT_NAMES))
    np.minimum.at(least, key, rank)
    kept = splits.copy()
    kept[rows[rank > least[key]]] = _NONE
    return kept


def patches_sharing_pixels(
    x_px: NDArray[Any], y_px: NDArray[Any], side_px: int, splits: Splits
) -> int:
    """Count the patches of one slide that overlap a patch of another split; exact, touching is no overlap."""
    corners = np.stack([x_px, y_px], axis=1).astype(np.float64)
    overlaps = np.zeros(len(splits), dtype=bool)
    for one, other in permutations(np.unique(splits[splits != _NONE]), 2):
        mine = np.flatnonzero(splits == one)
        nearest, _ = cKDTree(corners[splits == other]).query(corners[mine], p=np.inf)
        overlaps[mine[nearest < side_px]] = True
    return int(overlaps.sum())


def shared_between_splits(splits: Splits, owner: Sequence[Hashable] | NDArray[Any]) -> int:
    """Count the owners (nuclei, slides, patients) that entries of more than one split belong to."""
    seen = splits != _NONE
    _, key = np.unique(np.asarray(owner)[seen], return_inverse=True)
    pairs = np.unique(key.astype(np.int64) * len(SPLIT_NAMES) + splits[seen])
    return int((np.bincount(pairs // len(SPLIT_NAMES)) > 1).sum())


def _band_ends(n: int, after: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return every pair of last columns of the first and second band; equal ones leave the second empty."""
    first, second = np.triu_indices(n)
    useful = (first == second) | (second >= after[first])
    return first[useful], second[useful]


def _band_sizes(
    n_at: NDArray[np.int64],
    after: NDArray[np.int64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
) -> NDArray[np.int64]:
    n_before = np.concatenate([[0], np.cumsum(n_at)])
    return np.stack(
        [
            n_before[first + 1],
            np.maximum(n_before[second + 1] - n_before[after[first]], 0),
            n_before[-1] - n_before[after[second]],
        ]
    )


def _best_order(
    sizes: NDArray[np.int64], n_patches: int, shares: Sequence[float], rng: np.random.Generator
) -> tuple[int, tuple[int, ...]]:
    candidates = []
    guard_cost = _GUARD_COST * (1 - sizes.sum(axis=0) / n_patches)
    for order in rng.permutation(list(permutations(range(len(shares))))).tolist():
        wanted = np.asarray(shares)[order][:, None]
        deviation = ((sizes / sizes.sum(axis=0) - wanted) ** 2).sum(axis=0)
        costs = deviation + guard_cost + _EMPTY_COST * ((sizes == 0) & (wanted > 0)).sum(axis=0)
        candidates.append((round(float(costs.min()), 2), int(costs.argmin()), tuple(order)))
    _, best, order = min(candidates, key=lambda candidate: candidate[0])
    return best, order


def _cost(splits: NDArray[Any], amounts: NDArray[np.float64], shares: Sequence[float]) -> float:
    cost = 0.0
    for split, share in enumerate(shares):
        mine = splits == split
        cost += float(((amounts[mine].sum(axis=0) - share) ** 2).mean()) if amounts.size else 0.0
        cost += _EMPTY_COST * (not mine.any() and share > 0)
    return cost


def _improved(splits: Splits, amounts: NDArray[np.float64], shares: Sequence[float]) -> Splits:
    best, cost = splits, _cost(splits, amounts, shares)
    improved = True
    while improved:
        improved = False
        for candidate in _neighbours(best, len(shares)):
            other = _cost(candidate, amounts, shares)
            if other < cost - 1e-12:
                best, cost, improved = candidate, other, True
                break
    return best


def _neighbours(splits: Splits, n_splits: int) -> list[Splits]:
    moved = []
    for group in range(len(splits)):
        for split in range(n_splits):
            if split != splits[group]:
                moved.append(splits.copy())
                moved[-1][group] = split
    for one, other in combinations(range(len(splits)), 2):
        if splits[one] != splits[other]:
            moved.append(splits.copy())
            moved[-1][[one, other]] = splits[[other, one]]
    return moved
