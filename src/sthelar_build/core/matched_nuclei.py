"""How far single nuclei of the H&E lie from those of the bundle: a fast detector, and pairs that choose each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, label, maximum_filter, uniform_filter
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]

_SIGMA_UM = 1.5
_TRUNCATE_SIGMAS = 3
_SURROUNDINGS_UM = 16.0
_APART_UM = 4.0
_MIN_RISE = 0.5
"""A core must rise above its surroundings by this share of the standard deviation of all such rises."""


def stained_cores(haematoxylin: NDArray[Any], um_per_px: float) -> Floats:
    """Return where the haematoxylin of an H&E peaks as a nucleus does.

    Parameters
    ----------
    haematoxylin
        (h, w), more is darker; any unit.
    um_per_px
        Size of its pixels.

    Returns
    -------
    (n, 2) points in pixels, x first; pixel (r, c) covers [c, c+1) x [r, r+1). None lies on the outermost pixels.

    Notes
    -----
    Local maxima of the smoothed stain, to a fraction of a pixel by a parabola along x and along y. Whole nuclei
    (``core.haematoxylin``) take ten times as long and, where nuclei touch, pair up less often.
    """
    smooth = gaussian_filter(
        haematoxylin.astype(np.float32), _SIGMA_UM / um_per_px, truncate=_TRUNCATE_SIGMAS
    )
    rise = smooth - uniform_filter(smooth, _odd(_SURROUNDINGS_UM / um_per_px))
    is_core = smooth == maximum_filter(smooth, _odd(_APART_UM / um_per_px))
    is_core &= rise > _MIN_RISE * rise.std()
    is_core[[0, -1]] = is_core[:, [0, -1]] = False
    # Equal neighbours are one core: the first pixel of each stands for it.
    plateau, _ = label(is_core, np.ones((3, 3)))
    row, column = np.nonzero(is_core)
    _, first = np.unique(plateau[row, column], return_index=True)
    row, column = row[first], column[first]
    top = smooth[row, column]
    x = column + _vertex(smooth[row, column - 1], top, smooth[row, column + 1])
    y = row + _vertex(smooth[row - 1, column], top, smooth[row + 1, column])
    return np.stack([x, y], axis=1) + 0.5


def matched_distances(one_xy: Floats, other_xy: Floats, farthest: float) -> NDArray[np.float32]:
    """Return the distances of points (n, 2) and (m, 2) that are each other's nearest, up to ``farthest``."""
    if not len(one_xy) or not len(other_xy):
        return np.empty(0, dtype=np.float32)
    away, nearest = cKDTree(other_xy).query(one_xy)
    _, back = cKDTree(one_xy).query(other_xy)
    mutual = back[nearest] == np.arange(len(one_xy))
    return np.asarray(away[mutual & (away <= farthest)], dtype=np.float32)


def _odd(size_px: float) -> int:
    return 2 * max(1, round((size_px - 1) / 2)) + 1


def _vertex(before: NDArray[Any], top: NDArray[Any], after: NDArray[Any]) -> Floats:
    """Return where the parabolas through three values have their tops, from the middle one."""
    bend = before - 2.0 * top + after
    return np.asarray(0.5 * (before - after) / np.where(bend < 0, bend, -np.inf), dtype=np.float64)
