"""Post-processing as such scripts do it: whole-image steps of scipy and scikit-image, and a whole-image mask per nucleus."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed

SETTINGS = {40: (10, 21), 20: (3, 11)}


def plain_nuclei(
    nucleus: NDArray[Any], hv: NDArray[np.float32], types: NDArray[Any], magnification: int
) -> tuple[NDArray[np.int32], dict[int, dict[str, Any]]]:
    """Return the instance map, and what is known of every instance."""
    instances = plain_instances(nucleus, hv, magnification)
    known = {}
    for number in np.unique(instances)[1:]:
        found = _described(instances == number, types)
        if found is not None:
            known[int(number)] = found
    return instances, known


def plain_instances(
    nucleus: NDArray[Any], hv: NDArray[np.float32], magnification: int
) -> NDArray[np.int32]:
    min_marker_px, kernel_px = SETTINGS[magnification]
    labels, _ = ndimage.label(nucleus)
    blob = (_without_small(labels, 10) > 0).astype(np.int32)
    across = cv2.Sobel(_unit(hv[0]), cv2.CV_64F, 1, 0, ksize=kernel_px)
    down = cv2.Sobel(_unit(hv[1]), cv2.CV_64F, 0, 1, ksize=kernel_px)
    edge = np.maximum(1 - _unit(across), 1 - _unit(down)) - (1 - blob)
    edge[edge < 0] = 0
    relief = -cv2.GaussianBlur((1.0 - edge) * blob, (3, 3), 0)
    core = blob - (edge >= 0.4).astype(np.int32)
    core[core < 0] = 0
    filled = ndimage.binary_fill_holes(core).astype(np.uint8)
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    markers, _ = ndimage.label(cv2.morphologyEx(filled, cv2.MORPH_OPEN, ellipse))
    return np.asarray(watershed(relief, _without_small(markers, min_marker_px), mask=blob > 0))


def _without_small(labels: NDArray[np.int32], least_px: int) -> NDArray[np.int32]:
    small = np.bincount(labels.ravel()) < least_px
    labels = labels.copy()
    labels[small[labels]] = 0
    return labels


def _unit(values: NDArray[Any]) -> NDArray[np.float32]:
    return cv2.normalize(values, None, 0, 1, cv2.NORM_MINMAX, cv2.CV_32F)


def _described(mask: NDArray[np.bool_], types: NDArray[Any]) -> dict[str, Any] | None:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, left, bottom, right = rows[0], columns[0], rows[-1] + 1, columns[-1] + 1
    crop = mask[top:bottom, left:right].astype(np.uint8)
    moments = cv2.moments(crop)
    contour = cv2.findContours(crop, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)[0][0].reshape(-1, 2)
    if len(contour) < 3:
        return None
    values, counts = np.unique(types[mask], return_counts=True)
    ranking = sorted(zip(values, counts, strict=True), key=lambda pair: pair[1], reverse=True)
    kind, count = ranking[1] if ranking[0][0] == 0 and len(ranking) > 1 else ranking[0]
    return {
        "bbox": [top, left, bottom, right],
        "centroid": [
            moments["m10"] / moments["m00"] + left,
            moments["m01"] / moments["m00"] + top,
        ],
        "contour": contour + np.array([left, top]),
        "type": kind,
        "type_prob": count / (mask.sum() + 1e-6),
    }
