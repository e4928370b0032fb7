"""How well two instance maps of one patch agree: Dice, Jaccard, binary panoptic quality."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.contingency import Contingency, contingency, runs_of

_EPSILON = 1e-6
_MATCHING_IOU = 0.5


class PanopticQuality(NamedTuple):
    """Quality of the detection, of the outlines of what was found, and their product; NaN where not defined."""

    dq: float
    sq: float
    pq: float


UNDEFINED = PanopticQuality(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Agreement:
    """Metrics of one patch; NaN where a metric is not defined."""

    dice: float
    jaccard: float
    bpq: float
    n_true: int
    n_predicted: int
    bdq: float = math.nan
    bsq: float = math.nan


def agreement(
    true: NDArray[Any], predicted: NDArray[Any], foreground: NDArray[Any] | None = None
) -> Agreement:
    """Compare two instance maps.

    Parameters
    ----------
    true, predicted
        Integer maps of one shape; 0 is background, any other value an instance. Ids need be neither
        dense nor small, and an instance may have several parts.
    foreground
        Not 0 where nuclei are predicted, for Dice and Jaccard; ``predicted != 0`` by default. The original takes
        the output of the network before the watershed here, and only instances with a type for bPQ.

    Returns
    -------
    Dice and Jaccard of the foreground pixels, in float32 arithmetic as in torchmetrics 0.11.4, and bPQ:
    the panoptic quality (Kirillov et al. 2019) without classes, in the variant of HoVer-Net and CellViT:
    instances match when their IoU exceeds one half; with tp matches, fp predicted and fn true instances
    left over, it is bDQ = tp / (tp + fp/2 + fn/2 + 1e-6) times bSQ = sum(IoU) / (tp + 1e-6). A perfect patch of
    one nucleus scores 0.999998, never 1.

    Notes
    -----
    Nothing true: bPQ is NaN, Dice 0, Jaccard 0; Jaccard is NaN when nothing is predicted either.
    One true instance on every pixel: bPQ is NaN, as in the original, which takes a map of one value for an
    empty one. Several true instances without any background, where the original raises: scored like any
    other patch. IoU of exactly one half: no match, so that matches are unique.
    """
    maps = (true, predicted) if foreground is None else (true, predicted, foreground)
    values, lengths = runs_of(*maps)
    pairs = contingency(values[0], values[1], lengths)
    n_true, n_predicted = _n_objects(pairs.true_id), _n_objects(np.sort(pairs.predicted_id))
    dice, jaccard = _pixel_agreement(values[0] != 0, values[-1] != 0, lengths)
    quality = UNDEFINED
    if len(pairs.true_id) and pairs.true_id[0] != pairs.true_id[-1]:
        quality = panoptic_quality(_matched_iou(pairs), n_true, n_predicted)
    return Agreement(dice, jaccard, quality.pq, n_true, n_predicted, quality.dq, quality.sq)


def panoptic_quality(
    matched_iou: NDArray[np.float64], n_true: int, n_predicted: int
) -> PanopticQuality:
    """Return the qualities, given the IoU of every match."""
    tp = len(matched_iou)
    false = (n_predicted - tp) + (n_true - tp)
    detection = tp / (tp + 0.5 * false + _EPSILON)
    segmentation = float(matched_iou.sum() / (tp + _EPSILON))
    return PanopticQuality(detection, segmentation, detection * segmentation)


def matches(iou: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which pairs of instances match: at most one with each instance."""
    return np.asarray(iou > _MATCHING_IOU)


def _n_objects(ids: NDArray[np.int64]) -> int:
    """Count the values of sorted ids other than 0."""
    first = np.append(True, ids[1:] != ids[:-1])[: len(ids)]
    return int(np.count_nonzero(ids[first]))


def _pixel_agreement(
    is_true: NDArray[np.bool_], is_predicted: NDArray[np.bool_], lengths: NDArray[np.int64]
) -> tuple[float, float]:
    tp = lengths[is_true & is_predicted].sum()
    wrong = lengths[is_true ^ is_predicted].sum()
    if tp + wrong == 0:
        return 0.0, math.nan
    dice = np.float32(2 * tp) / np.float32(2 * tp + wrong)
    jaccard = np.float32(tp) / np.float32(tp + wrong)
    return float(dice), float(jaccard)


def _matched_iou(pairs: Contingency) -> NDArray[np.float64]:
    iou = pairs.iou()
    objects = (pairs.true_id != 0) & (pairs.predicted_id != 0)
    return np.asarray(iou[objects & matches(iou)])
