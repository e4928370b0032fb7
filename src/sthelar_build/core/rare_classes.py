"""How much each class matters where patches are shared out: the rarest as much as all others together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_LEAST_PATCHES = 10
"""A class that fewer patches show cannot be shared out; it does not steer the split."""


def rarest_class(nuclei: NDArray[Any]) -> int | None:
    """Return the class that is to be shared out first.

    ``nuclei`` (n_patches, n_classes) counts nuclei. It is the class with the fewest of those that at least ten patches
    show; of those that any shows where none has so many; None without nuclei.
    """
    patches, total = (nuclei > 0).sum(axis=0), nuclei.sum(axis=0, dtype=np.int64)
    candidates = np.flatnonzero(patches >= min(_LEAST_PATCHES, patches.max(initial=0)))
    candidates = candidates[total[candidates] > 0]
    return int(candidates[total[candidates].argmin()]) if len(candidates) else None


def sharing_weights(nuclei: NDArray[Any]) -> NDArray[np.float64]:
    """Return the weight of every class (n_classes,): 1 for the rarest, 1 for all the others together."""
    present = nuclei.any(axis=0)
    weights = np.where(present, 1.0 / max(1, int(present.sum()) - 1), 0.0)
    rarest = rarest_class(nuclei)
    if rarest is not None:
        weights[rarest] = 1.0
    return weights


def rarity_strata(nuclei: NDArray[Any], tissue: NDArray[Any]) -> NDArray[np.int64]:
    """Return a number for each patch (n,): by tissue, and by whether it shows the rarest class of its tissue."""
    _, number = np.unique(tissue, return_inverse=True)
    strata = 2 * number.astype(np.int64)
    for one in np.unique(number):
        rows = np.flatnonzero(number == one)
        rarest = rarest_class(nuclei[rows])
        if rarest is not None:
            strata[rows] += nuclei[rows, rarest] > 0
    return strata
