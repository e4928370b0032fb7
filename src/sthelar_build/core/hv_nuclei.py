"""From the maps of a network to nuclei: the watershed on horizontal and vertical distances (Graham et al. 2019)."""

# mypy: allow-untyped-decorators

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from sthelar_build.core.connected import connected_parts
from sthelar_build.core.hv_watershed import flood
from sthelar_build.core.instance_entries import instance_entries

MIN_NUCLEUS_PX = 10
"""Smaller blobs of nucleus pixels are dropped, at both magnifications."""
MAGNIFICATIONS = {40: (10, 21), 20: (3, 11)}
"""Smallest marker in pixels and side of the Sobel kernel."""
_RIM = 0.4
_OUTSIDE = 2
_OPENING = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))


class HvNuclei(NamedTuple):
    """The nuclei of one patch."""

    instances: NDArray[np.int32]
    """(h, w) 0 = no nucleus; ids start at 1 and may have gaps."""
    ids: NDArray[np.int64]
    """(n,) ids with an entry, ascending: those that `instance_entries` describes."""
    bbox: NDArray[np.int32]
    """(n, 4): first row, first column, row after the last, column after the last."""
    centroid_px: NDArray[np.float64]
    """(n, 2) mean column and mean row (x, y) of the pixels."""
    type_index: NDArray[np.int32]
    """(n,) voted type; 0 only where every pixel is of the background type."""
    type_prob: NDArray[np.float64]
    """(n,) share of the pixels that voted for it."""


def hv_nuclei(
    nucleus: NDArray[Any], hv: NDArray[np.float32], types: NDArray[Any], magnification: int
) -> HvNuclei:
    """Separate the nuclei of one patch and vote their types.

    Parameters
    ----------
    nucleus
        (h, w) not 0 where the network sees a nucleus; any size.
    hv
        (2, h, w) float32 distances to the centre of the nucleus, horizontal first, about -1 to 1.
    types
        (h, w) type of every pixel, 0 (background) to 255.
    magnification
        40 or 20: what the network was trained at; sets the smallest marker and the Sobel kernel.

    Notes
    -----
    Equal to the post-processing of CellViT to the pixel. Where the distances jump (Sobel), one nucleus ends: what is left of a
    blob of nucleus pixels, filled and opened, is labelled; these markers are flooded over the blobs. Ids are the
    numbers of the markers before the small ones were dropped, so there are gaps. Nucleus pixels without a marker in reach,
    and blobs below ``MIN_NUCLEUS_PX``, belong to no nucleus. Holds the lock of the interpreter for short parts only.
    """
    instances = hv_instances(nucleus, hv, magnification)
    return HvNuclei(instances, *instance_entries(instances, types))


def hv_instances(
    nucleus: NDArray[Any], hv: NDArray[np.float32], magnification: int
) -> NDArray[np.int32]:
    """Return the instance map alone, see `hv_nuclei`."""
    if magnification not in MAGNIFICATIONS:
        raise ValueError(f"expected a magnification of {list(MAGNIFICATIONS)}, got {magnification}")
    if hv.shape != (2, *nucleus.shape):
        raise ValueError(f"expected maps of one shape, got {nucleus.shape} and {hv.shape}")
    min_marker_px, kernel_px = MAGNIFICATIONS[magnification]
    parts, area = connected_parts(nucleus != 0)
    parts = _without_small(parts, area, MIN_NUCLEUS_PX)
    if not parts.any():
        return np.zeros(parts.shape, dtype=np.int32)
    hv = np.asarray(hv, dtype=np.float32)
    edges = _edge(hv[0], 1, 0, kernel_px), _edge(hv[1], 0, 1, kernel_px)
    height, core = _height_and_core(*edges, parts)
    relief = cv2.GaussianBlur(height, (3, 3), 0)
    opened = cv2.morphologyEx(_filled(core), cv2.MORPH_OPEN, _OPENING)
    markers = _without_small(*connected_parts(opened), min_marker_px)
    return flood(np.negative(relief, out=relief), markers, parts)


def _edge(distance: NDArray[np.float32], dx: int, dy: int, kernel_px: int) -> NDArray[np.float32]:
    gradient = cv2.Sobel(_unit(distance), cv2.CV_64F, dx, dy, ksize=kernel_px)
    return np.asarray(1 - _unit(gradient))


def _unit(values: NDArray[Any]) -> NDArray[np.float32]:
    values = np.ascontiguousarray(values)
    return np.asarray(cv2.normalize(values, None, 0, 1, cv2.NORM_MINMAX, cv2.CV_32F))


@njit(nogil=True, cache=True)
def _without_small(parts: Any, area: Any, least_px: int) -> Any:
    flat = parts.ravel()
    for i in range(len(flat)):
        if area[flat[i]] < least_px:
            flat[i] = 0
    return parts


@njit(nogil=True, cache=True)
def _height_and_core(across: Any, down: Any, parts: Any) -> Any:
    """Return how far below an edge each pixel of a blob lies (0 to 1), and the pixels well below."""
    height, core = np.zeros(parts.shape), np.zeros(parts.shape, np.uint8)
    for r in range(parts.shape[0]):
        for c in range(parts.shape[1]):
            if parts[r, c] != 0:
                edge = np.float64(max(across[r, c], down[r, c]))
                height[r, c] = 1.0 - edge
                core[r, c] = edge < _RIM
    return height, core


def _filled(core: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the mask without holes: background that has no way out by edges of pixels."""
    outside = np.pad(core, 1)
    cv2.floodFill(outside, None, (0, 0), _OUTSIDE, flags=4)
    return np.asarray(outside[1:-1, 1:-1] != _OUTSIDE, dtype=np.uint8)
