"""How well two instance maps of one patch agree: Dice, Jaccard, binary panoptic quality."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_EPSILON = 1e-6
_MATCHING_IOU = 0.5


@dataclass(frozen=True)
class Agreement:
    """Metrics of one patch; NaN where a metric is not defined."""

    dice: float
    jaccard: float
    bpq: float
    n_true: int
    n_predicted: int


@dataclass(frozen=True)
class _Contingency:
    """Shared pixels of every pair of ids that meet, sorted by true id, then predicted id."""

    true_id: NDArray[Any]
    predicted_id: NDArray[Any]
    area_px: NDArray[np.int64]


def agreement(true: NDArray[Any], predicted: NDArray[Any]) -> Agreement:
    """Compare two instance maps.

    Parameters
    ----------
    true, predicted
        Integer maps of one shape; 0 is background, any other value an instance. Ids need be neither
        dense nor small, and an instance may have several parts.

    Returns
    -------
    Dice and Jaccard of the foreground pixels, in float32 arithmetic as in torchmetrics 0.11.4, and bPQ:
    the panoptic quality (Kirillov et al. 2019) without classes, in the variant of HoVer-Net and CellViT:
    instances match when their IoU exceeds one half; with tp matches, fp predicted and fn true instances
    left over, it is tp / (tp + fp/2 + fn/2 + 1e-6) * sum(IoU) / (tp + 1e-6). A perfect patch of one
    nucleus scores 0.999998, never 1.

    Notes
    -----
    Nothing true: bPQ is NaN, Dice 0, Jaccard 0; Jaccard is NaN when nothing is predicted either.
    One true instance on every pixel: bPQ is NaN, as in the original, which takes a map of one value for an
    empty one. Several true instances without any background, where the original raises: scored like any
    other patch. IoU of exactly one half: no match, so that matches are unique.
    """
    if true.shape != predicted.shape:
        raise ValueError(f"expected maps of one shape, got {true.shape} and {predicted.shape}")
    pairs = _contingency(true.ravel(), predicted.ravel())
    n_true = int(np.count_nonzero(np.unique(pairs.true_id)))
    n_predicted = int(np.count_nonzero(np.unique(pairs.predicted_id)))
    dice, jaccard = _pixel_agreement(pairs)
    one_value = bool((pairs.true_id == pairs.true_id[:1]).all())
    iou = np.empty(0) if one_value else _matched_iou(pairs)
    bpq = math.nan if one_value else panoptic_quality(iou, n_true, n_predicted)
    return Agreement(dice, jaccard, bpq, n_true, n_predicted)


def panoptic_quality(matched_iou: NDArray[np.float64], n_true: int, n_predicted: int) -> float:
    """Return detection quality times segmentation quality, given the IoU of every match."""
    tp = len(matched_iou)
    false = (n_predicted - tp) + (n_true - tp)
    detection = tp / (tp + 0.5 * false + _EPSILON)
    return float(detection * (matched_iou.sum() / (tp + _EPSILON)))


def _contingency(true: NDArray[Any], predicted: NDArray[Any]) -> _Contingency:
    # Maps are mostly runs of one value: sorting the runs is tens of times cheaper than sorting pixels.
    change = np.flatnonzero((true[1:] != true[:-1]) | (predicted[1:] != predicted[:-1])) + 1
    starts = np.concatenate([[0], change])[: len(true)]
    lengths = np.diff(np.append(starts, len(true)))
    true_ids, true_index = np.unique(true[starts], return_inverse=True)
    predicted_ids, predicted_index = np.unique(predicted[starts], return_inverse=True)
    width = max(len(predicted_ids), 1)
    keys, key_index = np.unique(
        true_index.astype(np.int64) * width + predicted_index, return_inverse=True
    )
    area = np.bincount(key_index, weights=lengths, minlength=len(keys)).astype(np.int64)
    return _Contingency(true_ids[keys // width], predicted_ids[keys % width], area)


def _pixel_agreement(pairs: _Contingency) -> tuple[float, float]:
    is_true, is_predicted = pairs.true_id != 0, pairs.predicted_id != 0
    tp = pairs.area_px[is_true & is_predicted].sum()
    wrong = pairs.area_px[is_true ^ is_predicted].sum()
    if tp + wrong == 0:
        return 0.0, math.nan
    dice = np.float32(2 * tp) / np.float32(2 * tp + wrong)
    jaccard = np.float32(tp) / np.float32(tp + wrong)
    return float(dice), float(jaccard)


def _matched_iou(pairs: _Contingency) -> NDArray[np.float64]:
    true_area = _area_by_pair(pairs.true_id, pairs.area_px)
    predicted_area = _area_by_pair(pairs.predicted_id, pairs.area_px)
    iou = pairs.area_px / (true_area + predicted_area - pairs.area_px)
    objects = (pairs.true_id != 0) & (pairs.predicted_id != 0)
    return np.asarray(iou[objects & (iou > _MATCHING_IOU)])


def _area_by_pair(ids: NDArray[Any], area_px: NDArray[np.int64]) -> NDArray[np.float64]:
    _, index = np.unique(ids, return_inverse=True)
    return np.asarray(np.bincount(index, weights=area_px)[index])
