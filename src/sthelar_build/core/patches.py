"""One patch in numbers: dense instance maps, type maps, class channels, and which patches are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sthelar_build.schema.words import FEW_NUCLEI, JACCARD, OUTSIDE, REGISTRATION


def renumbered(instances: NDArray[Any]) -> tuple[NDArray[np.int32], NDArray[Any]]:
    """Return the map with ids 1..n in ascending order of the old ones, and the old ones; 0 stays 0."""
    inside = instances != 0
    ids, numbers = np.unique(instances[inside], return_inverse=True)
    dense = np.zeros(instances.shape, dtype=np.int32)
    dense[inside] = numbers + 1
    return dense, ids


def type_map(dense: NDArray[np.int32], class_of: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the class of every pixel; ``class_of[k - 1]`` is the class of instance k, background 0."""
    return np.concatenate([[0], class_of]).astype(np.uint8)[dense]


def counters(class_of: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Count the instances of each class on their own: 1, 2, ... in their order.

    >>> counters(np.array([6, 1, 6], dtype=np.uint8))
    array([1, 1, 2], dtype=int32)
    """
    order = np.argsort(class_of, kind="stable")
    by_class = class_of[order]
    number = np.empty(len(order), dtype=np.int32)
    number[order] = np.arange(1, len(order) + 1) - np.searchsorted(by_class, by_class)
    return number


def class_channels(
    dense: NDArray[np.int32], class_of: NDArray[np.uint8], n_classes: int, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Return PanNuke's mask of a patch.

    Parameters
    ----------
    dense
        Instance map (y, x), ids 1..n.
    class_of
        Class index 1..C of every instance.
    n_classes
        C.
    dtype
        Of the result; must hold the number of instances of a class.

    Returns
    -------
    Array (y, x, C + 1): channel c - 1 counts the instances of class c from 1; the last channel is 1 where no
    nucleus is, else 0.
    """
    channels = np.zeros((*dense.shape, n_classes + 1), dtype=dtype)
    rows, columns = np.nonzero(dense)
    instance = dense[rows, columns] - 1
    channels[rows, columns, class_of[instance] - 1] = counters(class_of)[instance]
    channels[..., n_classes] = dense == 0
    return channels


def class_counts(
    patch_row: NDArray[np.int64], class_index: NDArray[Any], n_patches: int, n_classes: int
) -> NDArray[np.uint16]:
    """Count instances: (n_patches, C); ``patch_row`` and ``class_index`` (1..C) have one entry per instance."""
    cell = patch_row * n_classes + class_index.astype(np.int64) - 1
    counts = np.bincount(cell, minlength=n_patches * n_classes)
    return counts.reshape(n_patches, n_classes).astype(np.uint16)


def left_out(
    complete: NDArray[np.bool_],
    gated: NDArray[np.bool_],
    n_nuclei: NDArray[Any],
    jaccard: NDArray[np.float64],
    min_nuclei: int,
    jaccard_range: tuple[float, float] | None,
) -> NDArray[Any]:
    """Say why each patch is left out of a dataset: an object array of reasons, None for the kept ones.

    The first of these that holds: ``outside`` (not complete), ``registration`` (``gated``),
    ``few_nuclei``, ``jaccard`` (outside the range, ends included, or without a value). Without a range no
    patch is left out for its Jaccard.
    """
    checks: Sequence[tuple[str, NDArray[Any]]] = [
        (OUTSIDE, ~complete),
        (REGISTRATION, gated),
        (FEW_NUCLEI, n_nuclei < min_nuclei),
        (JACCARD, _outside_range(jaccard, jaccard_range)),
    ]
    reasons = np.full(len(complete), None, dtype=object)
    for reason, fails in reversed(checks):
        reasons[fails] = reason
    return reasons


def _outside_range(
    values: NDArray[np.float64], limits: tuple[float, float] | None
) -> NDArray[np.bool_]:
    if limits is None:
        return np.zeros(len(values), dtype=bool)
    return ~((values >= limits[0]) & (values <= limits[1]))
