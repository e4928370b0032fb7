"""A fair sample of rows in which every group has its part."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def spread_rows(
    group: NDArray[np.integer], most: int, least_each: int, seed: int
) -> NDArray[np.int64]:
    """Return rows in random order; any first part of them is a fair sample, but for small groups.

    Parameters
    ----------
    group
        (n,) group of every row.
    most
        About so many rows at most; all, in random order, if there are no more.
    least_each
        Of every group at least so many, or all that it has; ``most`` may be exceeded for their sake.
    seed
        Of the order.
    """
    order = np.random.default_rng(seed).permutation(len(group))
    if len(group) <= most:
        return order
    by_group = order[np.argsort(group[order], kind="stable")]
    _, first, size = np.unique(group[by_group], return_index=True, return_counts=True)
    place = np.arange(len(group)) - np.repeat(first, size)
    needed = np.zeros(len(group), dtype=bool)
    needed[by_group[place < least_each]] = True
    needed[order[:most]] = True
    return order[needed[order]]
