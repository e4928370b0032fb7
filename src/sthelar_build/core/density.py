"""Low-resolution maps of how dense nuclei are, made comparable between nuclei and haematoxylin."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from sthelar_build.core.registration import Image

_TRUNCATE_SIGMAS = 2.5


def density(points_px: NDArray[Any], weights: NDArray[Any], shape: tuple[int, int]) -> Image:
    """Return the sum of the weights (n,) of the points (n, 2), x first, in every pixel; others are left out."""
    rows, columns = shape
    place = np.floor(points_px).astype(np.int64)
    inside = (place >= 0).all(axis=1) & (place < [columns, rows]).all(axis=1)
    pixel = place[inside, 1] * columns + place[inside, 0]
    summed = np.bincount(pixel, weights[inside], rows * columns)
    return summed.reshape(shape).astype(np.float32)


def thinned(
    points_um: NDArray[Any], weights: NDArray[Any], cell_um: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return one point for every square of side ``cell_um`` that has any: their weighted mean, and their weight."""
    square = np.floor(points_um / cell_um).astype(np.int64)
    square -= square.min(axis=0)
    _, group = np.unique(
        square[:, 1] * (square[:, 0].max() + 1) + square[:, 0], return_inverse=True
    )
    total = np.bincount(group, weights).astype(np.float64)
    mean = [np.bincount(group, weights * points_um[:, axis]) / total for axis in (0, 1)]
    return np.stack(mean, axis=1), total


def band_passed(values: Image, known: NDArray[np.bool_], fine_px: float, coarse_px: float) -> Image:
    """Return the difference of two Gaussian means, each over the known pixels only; 0 elsewhere.

    What is left does not know of stain, exposure and thickness, which vary slowly, nor of single nuclei.
    """
    weight = known.astype(np.float32)
    weighted = values * weight

    def mean(sigma_px: float) -> Image:
        total, blurred = (
            gaussian_filter(plane, sigma_px, mode="constant", truncate=_TRUNCATE_SIGMAS)
            for plane in (weight, weighted)
        )
        return np.asarray(blurred / np.maximum(total, 1e-3), dtype=np.float32)

    return (mean(fine_px) - mean(coarse_px)) * weight
