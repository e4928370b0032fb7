"""Stratified samples of an atlas: so many cells of every label, spread over its donors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Rows = NDArray[np.intp]


def stratified_rows(
    labels: NDArray[np.integer],
    per_label: int,
    seed: int,
    donors: NDArray[np.integer] | None = None,
) -> Rows:
    """Return the rows of at most ``per_label`` random cells of every label, ascending.

    A label with fewer cells is taken whole, so that no rare type is lost. Cells are taken from the donors in
    turns: donor by donor one cell, again and again until the label is full, so that a large donor does not
    stand for all. Cells with a negative label are never taken; those with a negative donor (none known) are
    one donor more.
    """
    rows = np.random.default_rng(seed).permutation(np.flatnonzero(labels >= 0))
    if donors is not None and len(rows):
        pairs = labels[rows].astype(np.int64) * (int(donors.max()) + 2) + donors[rows] + 1
        # The order of the permutation stays within a turn: lexsort is stable.
        rows = rows[np.lexsort((_occurrence(pairs), labels[rows]))]
    return np.asarray(np.sort(rows[_occurrence(labels[rows]) < per_label]))


def _occurrence(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return how often every value has come before.

    >>> _occurrence(np.array([7, 5, 7, 7])).tolist()
    [0, 0, 1, 2]
    """
    return np.asarray(pd.Series(values).groupby(values).cumcount(), dtype=np.int64)
