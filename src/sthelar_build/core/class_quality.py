"""Panoptic quality by class (mPQ): instances match when they overlap and are of one class."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.agreement import UNDEFINED, PanopticQuality, matches, panoptic_quality
from sthelar_build.core.contingency import contingency, runs_of


class ClassQuality(NamedTuple):
    """(classes,) float64 each; NaN for a class that is not in the truth of the patch."""

    dq: NDArray[np.float64]
    sq: NDArray[np.float64]
    pq: NDArray[np.float64]

    def mean(self) -> PanopticQuality:
        """Return mDQ, mSQ and mPQ: means over the classes that are defined; NaN if none is."""
        return PanopticQuality(*(nan_mean(values) for values in self))


def nan_mean(values: NDArray[np.float64]) -> float:
    """Return the mean of what is not NaN, as ``numpy.nanmean``; NaN, without a warning, if nothing is left."""
    return float("nan") if np.isnan(values).all() else float(np.nanmean(values))


def class_quality(
    true: NDArray[Any],
    true_types: NDArray[Any],
    predicted: NDArray[Any],
    predicted_types: NDArray[Any],
    n_classes: int,
) -> ClassQuality:
    """Compare the instances of each class.

    Parameters
    ----------
    true, predicted
        (h, w) integer maps, 0 is background; ids below 2^63 / 256 in size.
    true_types
        (h, w) class of every pixel. An instance with pixels of two classes is one instance in each.
    predicted_types
        (h, w) class of every pixel, see `voted_types`; instances of a class below 0 do not count.
    n_classes
        Classes 0 to n - 1, the background type included: class 0 is of true instances without a type, mostly NaN.

    Returns
    -------
    DQ, SQ and PQ of every class as in `agreement`, from one table of shared pixels. A class is NaN where its map has one
    value: no pixel of it, or one instance of it on every pixel.
    """
    (true, true_types, predicted, predicted_types), lengths = runs_of(
        true, true_types, predicted, predicted_types
    )
    true_keys = _keys(true, true_types, n_classes)
    predicted_keys = _keys(predicted, predicted_types, n_classes)
    pairs = contingency(true_keys, predicted_keys, lengths)
    matched = matches(iou := pairs.iou()) & (pairs.true_id != 0) & (pairs.predicted_id != 0)
    matched &= pairs.true_id % n_classes == pairs.predicted_id % n_classes
    # Summed in the order of the predictions, as the original does.
    order = np.flatnonzero(matched)[np.argsort(pairs.predicted_id[matched], kind="stable")]
    n_true, n_predicted = (_by_class(keys, n_classes) for keys in (true_keys, predicted_keys))
    full = n_true.sum() == 1 and (true_keys != 0).all()
    rows = [
        panoptic_quality(iou[order[pairs.true_id[order] % n_classes == j]], true_n, predicted_n)
        if true_n and not full
        else UNDEFINED
        for j, (true_n, predicted_n) in enumerate(zip(n_true, n_predicted, strict=True))
    ]
    return ClassQuality(*np.array(rows, dtype=np.float64).reshape(n_classes, 3).T)


def _keys(ids: NDArray[np.int64], types: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    """Return a number per instance and class, 0 for what has none; its remainder is the class."""
    if len(types) and types.max() >= n_classes:
        raise ValueError(f"expected classes 0 to {n_classes - 1}, got {types.max()}")
    # The background comes before the first instance of class 0.
    return np.where((ids != 0) & (types >= 0), ids * n_classes + types, 0)


def _by_class(keys: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    instances = np.unique(keys)
    return np.bincount(instances[instances != 0] % n_classes, minlength=n_classes)
