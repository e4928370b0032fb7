"""What is predicted for one patch: a map that keeps the network's own foreground, and a row per nucleus."""

# mypy: allow-untyped-decorators

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

UNASSIGNED = np.uint32(0xFFFFFFFF)
"""Value of a pixel that the network calls nucleus but that belongs to no instance."""

Map = NDArray[np.uint32]


class PredictedNuclei(NamedTuple):
    """The predicted nuclei of one patch, ids ascending."""

    ids: NDArray[np.uint32]
    """(n,) values in the map."""
    bbox: NDArray[np.uint16]
    """(n, 4): first row, first column, row and column after the last."""
    centroid_px: NDArray[np.float32]
    """(n, 2) x and y in the patch; the centre of the first pixel is at (0.5, 0.5)."""
    type_index: NDArray[np.uint8] | None
    """(n,) type, or None where the method knows none."""
    type_prob: NDArray[np.float32] | None
    """(n,) share of its pixels that have the type."""


class PredictedPatch(NamedTuple):
    """One patch as it is predicted."""

    patch_id: int
    instances: Map
    """(y, x): 0 is background, ``UNASSIGNED``, else an instance."""
    nuclei: PredictedNuclei

    @property
    def nucleus_px(self) -> int:
        """Pixels that are called nucleus."""
        return int(np.count_nonzero(self.instances))


def with_unassigned(instances: NDArray[np.int32], nucleus: NDArray[Any]) -> Map:
    """Return the instance map with ``UNASSIGNED`` where ``nucleus`` is set and no instance is.

    ValueError if an instance lies where ``nucleus`` is not set: its foreground would be lost.
    """
    if (instances.astype(bool) & (nucleus == 0)).any():
        raise ValueError("expected instances where the network sees nuclei only")
    return np.where((nucleus != 0) & (instances == 0), UNASSIGNED, instances.astype(np.uint32))


def without_unassigned(instances: Map) -> Map:
    """Return the map of the instances alone."""
    return np.where(instances == UNASSIGNED, np.uint32(0), instances)


def nuclei_of(instances: Map) -> PredictedNuclei:
    """Describe every instance of a map without types, be it a single pixel; instances may have several parts."""
    ids, number = np.unique(instances, return_inverse=True)
    first = int(len(ids) > 0 and ids[0] == 0)
    dense = number.reshape(instances.shape)
    bbox, sums = _measured(dense, len(ids))
    centroid = (sums[:, 1:] / np.maximum(sums[:, :1], 1) + 0.5)[first:]
    return PredictedNuclei(
        ids[first:].astype(np.uint32),
        bbox[first:].astype(np.uint16),
        centroid.astype(np.float32),
        None,
        None,
    )


@njit(nogil=True, cache=True)
def _measured(dense: NDArray[np.int64], n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return box (n, 4) and the sums of 1, column and row (n, 3) of the pixels of every number."""
    height, width = dense.shape
    box = np.zeros((n, 4), np.int64)
    box[:, 0], box[:, 1] = height, width
    sums = np.zeros((n, 3), np.int64)
    for row in range(height):
        for column in range(width):
            k = dense[row, column]
            box[k, 0] = min(box[k, 0], row)
            box[k, 1] = min(box[k, 1], column)
            box[k, 2] = max(box[k, 2], row + 1)
            box[k, 3] = max(box[k, 3], column + 1)
            sums[k, 0] += 1
            sums[k, 1] += column
            sums[k, 2] += row
    return box, sums
