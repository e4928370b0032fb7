"""Where a run found transcripts at all: the nuclei of tissue beyond have no label, and would be taught as background."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_closing
from skimage.morphology import disk


def mark(found: NDArray[np.bool_], points_px: NDArray[np.float64]) -> None:
    """Set the pixels of a mask (h, w) in which points (n, 2) lie, x first, in px of it; those outside are passed over."""
    rows, columns = found.shape
    x, y = points_px.T
    inside = (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
    found[y[inside].astype(np.intp), x[inside].astype(np.intp)] = True


def without_gaps(found: NDArray[np.bool_], gap_px: float) -> NDArray[np.bool_]:
    """Return a mask (h, w) whose gaps, as far as a disc of ``gap_px`` across does not fit into them, are closed.

    Morphological closing (Serra 1982), as if every row and column went on beyond the border of the image.
    """
    reach = int(gap_px / 2)
    closed = binary_closing(np.pad(found, reach, mode="edge"), disk(reach, dtype=bool))
    rows, columns = found.shape
    return np.asarray(closed[reach : reach + rows, reach : reach + columns])
