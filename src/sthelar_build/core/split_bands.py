"""One slide cut into bands for train, valid and test, with a guard between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.splits import EMPTY_COST, NONE, Splits, share_costs

_MOST_BANDS = 8
_EXHAUSTIVE_CUTS = 96
"""So many places of the cuts between three bands are tried; the cuts then move by single columns."""
_GUARD_COST = 0.3
"""Of losing all patches to the guard; the unit is that of ``share_costs``."""
_ALIKE = 3
"""Decimals in which costs must differ for one layout to be better than another."""
_STEPS = (-3, -2, -1, 1, 2, 3)


@dataclass(frozen=True, eq=False)
class _Layouts:
    """Several ways to lay the same number of bands over the columns of a slide, along one axis."""

    ends: NDArray[np.int64]
    """(n, n_bands): the last column of every band, ascending."""
    splits: NDArray[np.int8]
    """(n, n_bands): the split of every band."""

    def __getitem__(self, chosen: Any) -> _Layouts:
        return _Layouts(self.ends[chosen], self.splits[chosen])


class _Axis:
    """The columns of patches along one axis: patches with equal left (or top) edge are one column."""

    def __init__(
        self, along: NDArray[Any], amounts: NDArray[np.float64], side_px: int, guard_px: int
    ) -> None:
        self.starts, self.column = np.unique(along, return_inverse=True)
        sums = np.zeros((len(self.starts), amounts.shape[1]))
        np.add.at(sums, self.column, amounts)
        self._before = np.concatenate([np.zeros((1, amounts.shape[1])), sums.cumsum(axis=0)])
        # after[i]: the first column that clears a band whose last column is i.
        self.after = np.searchsorted(self.starts, self.starts + side_px + guard_px)

    def begins(self, layouts: _Layouts) -> NDArray[np.int64]:
        """Return the first column that every band keeps; beyond a neighbour of another split comes the guard."""
        begins = np.zeros_like(layouts.ends)
        same = layouts.splits[:, 1:] == layouts.splits[:, :-1]
        previous = layouts.ends[:, :-1]
        begins[:, 1:] = np.where(same, previous + 1, self.after[previous])
        return begins

    def costs(
        self, layouts: _Layouts, shares: Sequence[float], weights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return how far every layout is from the shares, with what its guard takes."""
        begins, stops = self.begins(layouts), layouts.ends + 1
        kept = self._before[stops] - self._before[np.minimum(begins, stops)]
        inside = layouts.splits[:, None, :] == np.arange(len(shares))[:, None]
        per_split = inside @ kept
        total = per_split.sum(axis=1, keepdims=True)
        amounts = np.divide(per_split, total, out=np.zeros_like(per_split), where=total > 0)
        all_patches = self._before[-1, 0]
        lost = 1 - total[:, 0, 0] / all_patches
        empty = ((per_split[..., 0] == 0) & (np.asarray(shares) > 0)).sum(axis=1)
        # A band that its guard swallows whole would leave the next one without a guard.
        swallowed = (begins >= stops).any(axis=1) * 10 * EMPTY_COST
        return np.asarray(
            share_costs(amounts, shares, weights)
            + _GUARD_COST * lost
            + EMPTY_COST * empty
            + swallowed
        )

    def splits_of(self, layout: _Layouts) -> Splits:
        """Return the split of every patch in the only layout of ``layout``."""
        of_column = np.full(len(self.starts), NONE, dtype=np.int8)
        for begin, end, split in zip(
            self.begins(layout)[0], layout.ends[0], layout.splits[0], strict=True
        ):
            of_column[begin : end + 1] = split
        return of_column[self.column]

    def layouts(self, n_splits: int, rarest: int) -> Iterator[_Layouts]:
        """Yield up to three bands with their cuts anywhere, then more, of equal parts of patches, of a feature, or of both."""
        n = len(self.starts)
        cuts = np.unique(np.linspace(0, n - 1, min(n, _EXHAUSTIVE_CUTS)).astype(np.int64))
        for n_bands in range(1, n_splits + 1):
            ends = np.array(
                [(*cut, n - 1) for cut in combinations(cuts[cuts < n - 1], n_bands - 1)]
            )
            splits = np.array(list(permutations(range(n_splits), n_bands)), dtype=np.int8)
            yield _every(ends.reshape(-1, n_bands).astype(np.int64), splits)
        parts = ([0], [rarest], [0, rarest])
        for n_bands, features in product(range(n_splits + 1, _MOST_BANDS + 1), parts):
            ends = self._equal_parts(n_bands, features)
            splits = np.array(list(product(range(n_splits), repeat=n_bands)), dtype=np.int8)
            yield _every(ends, splits)

    def _equal_parts(self, n_bands: int, features: list[int]) -> NDArray[np.int64]:
        """Return the ends of bands that hold equally much of features: (1, n_bands), or none if they are too narrow."""
        amounts = self._before[1:, features]
        amount = (amounts / amounts[-1]).mean(axis=1)
        ends = np.searchsorted(amount, np.arange(1, n_bands) / n_bands - 1e-9)
        ends = np.append(ends, len(amount) - 1)[None]
        return ends[(np.diff(ends, axis=1) > 0).all(axis=1)]

    def moved(self, layout: _Layouts) -> _Layouts:
        """Return the layouts in which one cut lies up to three columns elsewhere."""
        candidates = []
        for cut in range(layout.ends.shape[1] - 1):
            for step in _STEPS:
                ends = layout.ends[0].copy()
                ends[cut] += step
                if ends[0] >= 0 and (np.diff(ends) > 0).all():
                    candidates.append(ends)
        ends = np.array(candidates, dtype=np.int64).reshape(-1, layout.ends.shape[1])
        return _Layouts(ends, np.repeat(layout.splits, len(ends), axis=0))


def assign_bands(
    x_px: NDArray[Any],
    y_px: NDArray[Any],
    side_px: int,
    shares: Sequence[float],
    guard_px: int,
    rng: np.random.Generator,
    features: NDArray[np.float64] | None = None,
    weights: NDArray[np.float64] | None = None,
) -> Splits:
    """Cut one slide into bands across either axis, with a guard where bands of two splits meet.

    Parameters
    ----------
    x_px, y_px
        Left and top edge of every patch; all have side ``side_px``.
    shares
        Wanted share of train, valid and test in every feature, among the patches that are kept.
    guard_px
        Least gap between the pixels of two splits.
    rng
        Chooses among layouts that fit about as well.
    features
        (n, n_features) amounts of every patch to be shared out, as nuclei of each class, beside the patches themselves.
    weights
        (n_features,) how much each matters; the patches weigh 1.

    Returns
    -------
    The split of every patch, -1 for those in the guard. Three to eight bands, as the classes lie: a class that grows in
    one place is cut by several. A slide too small for three bands gets two, or one.
    """
    if not len(x_px):
        return np.empty(0, dtype=np.int8)
    amounts, weight = _with_patches(len(x_px), features, weights)
    axes = [_Axis(along, amounts, side_px, guard_px) for along in (x_px, y_px)]
    found = []
    for axis in axes:
        for layouts in axis.layouts(len(shares), len(weight) - 1 - int(weight[::-1].argmax())):
            costs = axis.costs(layouts, shares, weight).round(_ALIKE)
            if len(costs):
                best = rng.choice(np.flatnonzero(costs == costs.min()))
                cost, layout = _climbed(axis, layouts[[best]], shares, weight)
                found.append((cost, axis, layout))
    _, axis, layout = min(found, key=lambda candidate: round(candidate[0], _ALIKE))
    return axis.splits_of(layout)


def _with_patches(
    n: int, features: NDArray[np.float64] | None, weights: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    patches = np.ones((n, 1))
    if features is None or weights is None:
        return patches, np.ones(1)
    present = features.sum(axis=0) > 0
    return np.hstack([patches, features[:, present]]), np.append(1.0, weights[present])


def _climbed(
    axis: _Axis, layout: _Layouts, shares: Sequence[float], weights: NDArray[np.float64]
) -> tuple[float, _Layouts]:
    """Move single cuts as long as that is better; return the cost that is reached, and the layout."""
    cost = float(axis.costs(layout, shares, weights)[0])
    while True:
        candidates = axis.moved(layout)
        costs = axis.costs(candidates, shares, weights)
        if not len(costs) or costs.min() >= cost - 1e-9:
            return cost, layout
        layout, cost = candidates[[costs.argmin()]], float(costs.min())


def _every(ends: NDArray[np.int64], splits: NDArray[np.int8]) -> _Layouts:
    """Return every pair of a row of ``ends`` and a row of ``splits``."""
    return _Layouts(np.repeat(ends, len(splits), axis=0), np.tile(splits, (len(ends), 1)))
