"""The nuclei that a whole H&E shows at low resolution, whatever its stain, exposure, pen marks and bubbles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.measure import block_reduce

from sthelar_build.core.registration import Image, Window, resampled
from sthelar_build.core.stain import haematoxylin
from sthelar_build.schema.frames import Affine

SPOTS_UM, CLUMPS_UM = 5.0, 20.0
"""What a nucleus must rise above: its near surroundings, or wider ones, so that crowded nuclei show as well.
The first is blind to pen marks and bubbles, the second sees glands whose nuclei touch."""
_NUCLEUS_UM = 1.5
_HALF_DENSITY = 0.08
"""Optical density above the surroundings at which a spot counts half: from there on more stain says little."""
_ROWS = 1024
_HALO_SIGMAS = 4


@dataclass(frozen=True, eq=False)
class Overview:
    """How much nucleus every pixel of a low-resolution H&E shows."""

    spots: NDArray[np.uint8]
    """(h, w), 0 to 255."""
    step_px: tuple[float, float]
    """Level-0 px per pixel, along x and along y."""

    @property
    def size_px(self) -> tuple[float, float]:
        """Width and height in level-0 px."""
        return self.spots.shape[1] * self.step_px[0], self.spots.shape[0] * self.step_px[1]

    def reduced(self, factor: int) -> Overview:
        """Return the mean over squares of ``factor`` pixels; what is missing at the far borders counts as empty."""
        if factor == 1:
            return self
        mean = block_reduce(self.spots, (factor, factor), np.mean)
        return Overview(
            np.rint(mean).astype(np.uint8), (self.step_px[0] * factor, self.step_px[1] * factor)
        )

    def window(self, window: Window, um_to_he: Affine) -> Image:
        """Draw the spots on a window, smoothed to its pixels; 0 outside the image."""
        to_spots = np.diag([1 / self.step_px[0], 1 / self.step_px[1], 1]) @ um_to_he.matrix
        corners = window.corners_um @ to_spots[:2, :2].T + to_spots[:2, 2]
        left, top = np.floor(corners.min(axis=0)).astype(int) - 4
        right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 4
        part = _cut(self.spots, left, top, right, bottom)
        moved = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]]) @ to_spots @ window.to_um
        spots_per_px = float(np.sqrt(abs(np.linalg.det(moved[:2, :2]))))
        return resampled(part, moved, window.shape, spots_per_px / 2)


def overview_of(
    rgb_rows: Callable[[int, int], NDArray[np.uint8]],
    shape: tuple[int, int],
    step_px: tuple[float, float],
    um_per_px: float,
    around_um: float,
) -> Overview:
    """Return the overview of an H&E that is read in rows.

    Parameters
    ----------
    rgb_rows
        Gives rows from start to stop of the low-resolution image, (stop - start, w, 3).
    shape
        Its (h, w).
    step_px
        Level-0 px per pixel of it.
    um_per_px
        Size of a pixel of it, about.
    around_um
        ``SPOTS_UM`` or ``CLUMPS_UM``.

    Notes
    -----
    The rise of the haematoxylin above its surroundings, a difference of Gaussians; d / (d + 0.08), so that a
    fold or a dark stain says little more than a nucleus.
    """
    halo = int(np.ceil(_HALO_SIGMAS * around_um / um_per_px))
    spots = np.empty(shape, dtype=np.uint8)
    for start in range(0, shape[0], _ROWS):
        stop = min(start + _ROWS, shape[0])
        first, last = max(0, start - halo), min(shape[0], stop + halo)
        found = _spots(rgb_rows(first, last), um_per_px, around_um)
        spots[start:stop] = found[start - first : stop - first]
    return Overview(spots, step_px)


def _spots(rgb: NDArray[np.uint8], um_per_px: float, around_um: float) -> NDArray[np.uint8]:
    stain = haematoxylin(rgb)
    rise = gaussian_filter(stain, _NUCLEUS_UM / um_per_px)
    rise -= gaussian_filter(stain, around_um / um_per_px)
    np.maximum(rise, 0, out=rise)
    return np.asarray(np.rint(255 * rise / (rise + _HALF_DENSITY)), dtype=np.uint8)


def _cut(spots: NDArray[np.uint8], left: int, top: int, right: int, bottom: int) -> Image:
    height, width = spots.shape
    part = np.zeros((bottom - top, right - left), dtype=np.float32)
    inside_x, inside_y = (max(left, 0), min(right, width)), (max(top, 0), min(bottom, height))
    if inside_x[1] > inside_x[0] and inside_y[1] > inside_y[0]:
        part[inside_y[0] - top : inside_y[1] - top, inside_x[0] - left : inside_x[1] - left] = (
            spots[inside_y[0] : inside_y[1], inside_x[0] : inside_x[1]]
        )
    return part
