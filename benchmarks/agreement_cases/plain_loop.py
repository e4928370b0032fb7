"""Panoptic quality as such scripts compute it: ids renumbered one by one, a mask of the whole patch per instance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Map = NDArray[Any]


def renumbered(instances: Map) -> NDArray[np.int32]:
    """Return the map with the ids 1..n."""
    new = np.zeros(instances.shape, np.int32)
    for number, old in enumerate((i for i in np.unique(instances) if i), start=1):
        new[instances == old] = number
    return new


def plain_quality(true: Map, predicted: Map) -> tuple[float, float, float]:
    """Return DQ, SQ and PQ; NaN where the truth has one value."""
    if len(np.unique(true)) == 1:
        return (float("nan"),) * 3
    return _quality(renumbered(true), renumbered(predicted))


def _quality(true: Map, predicted: Map) -> tuple[float, float, float]:
    true_masks = {i: (true == i).astype(np.uint8) for i in np.unique(true) if i}
    predicted_masks = {i: (predicted == i).astype(np.uint8) for i in np.unique(predicted) if i}
    table = np.zeros((len(true_masks), len(predicted_masks)))
    for i, one in true_masks.items():
        for j in np.unique(predicted[one > 0]):
            if j:
                other = predicted_masks[j]
                shared = (one * other).sum()
                table[i - 1, j - 1] = shared / ((one + other).sum() - shared)
    paired = table[table > 0.5]
    tp = len(paired)
    false = len(true_masks) + len(predicted_masks) - 2 * tp
    dq, sq = tp / (tp + 0.5 * false + 1.0e-6), paired.sum() / (tp + 1.0e-6)
    return dq, sq, dq * sq


def plain_class_pq(
    true: Map, true_types: Map, predicted: Map, predicted_types: Map, n_classes: int
) -> list[float]:
    """Return the PQ of every class; the instances change sides, as in the original."""
    values = []
    for j in range(n_classes):
        true_j, predicted_j = (true_types == j) * true, (predicted_types == j) * predicted
        empty = len(np.unique(true_j)) == 1
        quality = None if empty else _quality(renumbered(predicted_j), renumbered(true_j))
        values.append(quality[2] if quality else float("nan"))
    return values


def plain_agreement(true: Map, predicted: Map) -> tuple[float, float, float, float, float]:
    """Return Dice, Jaccard, DQ, SQ and PQ."""
    is_true, is_predicted = true > 0, predicted > 0
    shared = int((is_true & is_predicted).sum())
    wrong = int((is_true ^ is_predicted).sum())
    dice = jaccard = np.float32(0)
    if shared + wrong:
        dice = np.float32(2 * shared) / np.float32(2 * shared + wrong)
        jaccard = np.float32(shared) / np.float32(shared + wrong)
    else:
        jaccard = np.float32("nan")
    return (float(dice), float(jaccard), *plain_quality(true, predicted))
