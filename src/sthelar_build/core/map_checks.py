"""What a reader may rely on in the maps of a patch, and what breaks it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_TYPES = 2**16


def map_flaw(
    image_shape: tuple[int, ...], instances: NDArray[Any], types: NDArray[Any]
) -> str | None:
    """Say in words what is wrong with the maps of a patch; None if nothing is.

    Parameters
    ----------
    image_shape
        Shape (y, x, 3) of the image of the patch.
    instances
        Map (y, x) of nuclei 1..n, 0 is background.
    types
        Map (y, x) of class indices, 0 is background.

    Returns
    -------
    The first flaw of: not (y, x, 3) beside two maps (y, x); a nucleus without a class or a class without a
    nucleus; numbers with gaps, or a nucleus of two classes.
    """
    if not image_shape == (*instances.shape, 3) == (*types.shape, 3):
        return f"an image {image_shape} and maps {instances.shape}, {types.shape}"
    if not np.array_equal(instances > 0, types > 0):
        return "nuclei without a class, or classes without a nucleus"
    nuclei = _nuclei(instances, types)
    if nuclei[0].tolist() != list(range(1, nuclei.shape[1] + 1)):
        return "ids that are not dense, or of two classes"
    return None


def nuclei_per_class(
    instances: NDArray[Any], types: NDArray[Any], n_classes: int
) -> NDArray[np.int64]:
    """Count the nuclei of classes 1..n in the maps of a patch; longer if a class beyond n is drawn."""
    return np.bincount(_nuclei(instances, types)[1], minlength=n_classes + 1)[1:]


def _nuclei(instances: NDArray[Any], types: NDArray[Any]) -> NDArray[np.int64]:
    """Return the distinct pairs (2, n) of a nucleus and its class, by nucleus."""
    drawn = instances > 0
    # One number a pair sorts many times faster than two.
    pairs = np.unique(instances[drawn].astype(np.int64) * _MOST_TYPES + types[drawn])
    return np.stack(np.divmod(pairs, _MOST_TYPES))
