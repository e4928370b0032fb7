"""Where an H&E shows tissue at all, looked up point by point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import binary_dilation


@dataclass(frozen=True, eq=False)
class TissueMap:
    """Tissue of a whole H&E at low resolution."""

    mask: NDArray[np.bool_]
    """(h, w)."""
    width_px: int
    """Level-0 pixels of the H&E."""
    height_px: int

    @classmethod
    def around(cls, mask: NDArray[np.bool_], width_px: int, height_px: int) -> TissueMap:
        """Return a mask with a margin of one pixel: a nucleus at the border of the tissue is on it."""
        grown = binary_dilation(mask, np.ones((3, 3)))
        return cls(np.asarray(grown), width_px, height_px)

    def at(self, points_he_px: ArrayLike) -> NDArray[np.bool_]:
        """Return whether points (n, 2), x first, lie on tissue; outside the image there is none."""
        points = np.asarray(points_he_px, dtype=np.float64).reshape(-1, 2)
        rows, columns = self.mask.shape
        place = np.floor(points * [columns / self.width_px, rows / self.height_px])
        inside = ((place >= 0) & (place < [columns, rows])).all(axis=1)
        found = np.zeros(len(points), dtype=np.bool_)
        column, row = place[inside].astype(np.int64).T
        found[inside] = self.mask[row, column]
        return found
