"""The square of H&E around every spot, as HEST cuts it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PATCH_PX = 224
"""Side of a patch."""
PATCH_UM_PER_PX = 0.5
"""Size of its pixels: a patch is 112 um wide."""


@dataclass(frozen=True, eq=False)
class SpotSquares:
    """Squares in level-0 H&E px, one a spot, of whole pixels."""

    side_he_px: int
    corners_he_px: NDArray[np.int64]
    """(n, 2) left and top."""

    @property
    def downsample(self) -> float:
        """Level-0 px per px of a patch."""
        return self.side_he_px / PATCH_PX

    def boxes(self) -> NDArray[np.float64]:
        """Return left, top, right, bottom (n, 4) in level-0 H&E px."""
        corners = self.corners_he_px.astype(np.float64)
        return np.concatenate([corners, corners + self.side_he_px], axis=1)


def squares_around(centres_he_px: NDArray[np.float64], he_um_per_px: float) -> SpotSquares:
    """Return the squares of 112 um, to the nearest pixel, whose middle is the centre (n, 2), x first, of a spot.

    >>> squares_around(np.array([[300.6, 250.0]]), 0.25).corners_he_px
    array([[76, 26]])
    """
    side_he_px = max(1, round(PATCH_PX * PATCH_UM_PER_PX / he_um_per_px))
    corners = np.floor(centres_he_px - side_he_px // 2).astype(np.int64)
    return SpotSquares(side_he_px, corners)
