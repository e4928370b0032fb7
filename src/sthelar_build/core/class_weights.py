"""Loss weights of the classes, by how rare they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_IGNORED_SHARE = 0.1


def class_weights(counts: NDArray[np.int64], ignored: int | None = None) -> NDArray[np.float64]:
    """Weigh background and classes for training, the rule of STHELAR.

    Parameters
    ----------
    counts
        Nuclei of every class in the training set.
    ignored
        Position of the class that should hardly count; None for none.

    Returns
    -------
    Weights that sum to 1, background first. A class with share f of the nuclei weighs log(1 + 1/f); background weighs
    as much as the most common class, the ignored class a tenth of that. A class without nuclei weighs
    0. Without any nuclei all weigh the same.
    """
    if not counts.sum():
        return np.full(len(counts) + 1, 1 / (len(counts) + 1))
    present = counts > 0
    weights = np.zeros(len(counts))
    weights[present] = np.log1p(counts.sum() / counts[present])
    relevant = present.copy()
    if ignored is not None:
        relevant[ignored] = False
    smallest = weights[relevant].min() if relevant.any() else weights[present].min()
    if ignored is not None:
        weights[ignored] = _IGNORED_SHARE * smallest
    whole = np.concatenate([[smallest], weights])
    return np.asarray(whole / whole.sum())
