"""What a split is: names, a random one, and how far the shares of a split are from those wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

SPLIT_NAMES = ("train", "valid", "test")
"""The names of the splits; in the modules of splits a split is its position here, and -1 is none."""

Splits = NDArray[np.int8]

NONE = -1
EMPTY_COST = 10.0
"""Of a split without anything: more than any deviation of the shares."""


def assign_at_random(
    strata: NDArray[Any], shares: Sequence[float], rng: np.random.Generator
) -> Splits:
    """Shuffle patches into splits, every stratum by itself; neighbours and their nuclei leak, as in the published splits.

    ``strata`` (n,) says what is to be shared out alike; a stratum of n patches gives each split its share of n, rounded.
    """
    order = np.lexsort((rng.random(len(strata)), strata))
    _, first, size = np.unique(strata[order], return_index=True, return_counts=True)
    place = (np.arange(len(strata)) - np.repeat(first, size) + 0.5) / np.repeat(size, size)
    splits = np.empty(len(strata), dtype=np.int8)
    splits[order] = np.searchsorted(np.cumsum(shares)[:-1], place, side="right")
    return splits


def without_shared_nuclei(
    splits: Splits, patch_row: NDArray[np.int64], nucleus: NDArray[Any]
) -> Splits:
    """Take patches out until no nucleus is drawn in two splits.

    ``patch_row`` and ``nucleus`` have one entry per nucleus and patch. A nucleus stays in the
    smallest of its splits; its patches in the others become -1.
    """
    seen = splits[patch_row] != NONE
    rows, (_, key) = patch_row[seen], np.unique(nucleus[seen], return_inverse=True)
    sizes = np.bincount(splits[splits != NONE], minlength=len(SPLIT_NAMES))
    rank = np.argsort(np.argsort(sizes, kind="stable"), kind="stable")[splits[rows]]
    least = np.full(key.max(initial=-1) + 1, len(SPLIT_NAMES))
    np.minimum.at(least, key, rank)
    kept = splits.copy()
    kept[rows[rank > least[key]]] = NONE
    return kept


def share_costs(
    amounts: NDArray[np.float64], shares: Sequence[float], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Say how far splits are from the shares that are wanted.

    Parameters
    ----------
    amounts
        (..., n_splits, n_features): what every split has of every feature, as a share of all.
    shares
        Wanted share of each split in every feature.
    weights
        (n_features,).

    Returns
    -------
    (...): summed squared deviations by weight.
    """
    deviation = (amounts - np.asarray(shares)[:, None]) ** 2
    return np.asarray((deviation @ weights).sum(axis=-1))
