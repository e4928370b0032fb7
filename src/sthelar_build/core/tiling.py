"""The grid of patches over an image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates


@dataclass(frozen=True)
class Grid:
    """Squares of ``side_px`` that overlap by ``overlap_px``, row by row, over an image at one scale."""

    columns: int
    rows: int
    side_px: int
    overlap_px: int
    width_px: int
    """Width of the image, in whole pixels of the scale."""
    height_px: int
    """Height of the image, in whole pixels of the scale."""
    downsample: float
    """Level-0 H&E pixels per pixel of the scale."""

    @property
    def stride_px(self) -> int:
        """Distance of neighbouring patches, in pixels of the scale."""
        return self.side_px - self.overlap_px


def patch_grid(
    width_he_px: int, height_he_px: int, downsample: float, side_px: int, overlap_px: int
) -> Grid:
    """Return the grid that covers an image.

    Parameters
    ----------
    width_he_px, height_he_px
        Size of level 0.
    downsample
        Level-0 pixels per pixel of the scale.
    side_px, overlap_px
        Side of a patch and overlap of neighbours, in pixels of the scale; the overlap is smaller than the side.

    Returns
    -------
    As many columns as ceil((W - overlap) / stride), at least one; the last may overrun the image. Rows alike. W and H
    count whole pixels of the scale.
    """
    if not 0 <= overlap_px < side_px:
        raise ValueError(f"expected 0 <= overlap < side, got {overlap_px} and {side_px}")
    width, height = math.floor(width_he_px / downsample), math.floor(height_he_px / downsample)
    stride = side_px - overlap_px
    columns, rows = (max(1, math.ceil((n - overlap_px) / stride)) for n in (width, height))
    return Grid(columns, rows, side_px, overlap_px, width, height, downsample)


def patch_table(grid: Grid) -> pd.DataFrame:
    """Return the columns of ``schema.tables.PATCHES`` without tissue, how far it is covered, and blur; by patch_id."""
    patch_id = np.arange(grid.rows * grid.columns)
    row, column = np.divmod(patch_id, grid.columns)
    x_px, y_px = column * grid.stride_px, row * grid.stride_px
    return pd.DataFrame(
        {
            "patch_id": patch_id.astype(np.uint32),
            "grid_row": row.astype(np.uint32),
            "grid_column": column.astype(np.uint32),
            "x_px": x_px,
            "y_px": y_px,
            "x_he_px": x_px * grid.downsample,
            "y_he_px": y_px * grid.downsample,
            "side_he_px": np.full(len(patch_id), grid.side_px * grid.downsample),
            "complete": (x_px + grid.side_px <= grid.width_px)
            & (y_px + grid.side_px <= grid.height_px),
        }
    )


def box_shares(mask: NDArray[np.bool_], boxes: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the share of the area of boxes that a mask covers; mask and boxes as in ``box_sums``."""
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return np.asarray(np.clip(box_sums(mask, boxes) / area, 0, 1), dtype=np.float32)


def box_sums(values: NDArray[Any], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum an image over boxes.

    Parameters
    ----------
    values
        (h, w); pixel (r, c) covers [c, c+1) x [r, r+1) and counts by the area inside. Outside the image all is 0.
    boxes
        (n, 4): left, top, right, bottom, in pixels of the image; edges may lie within pixels.
    """
    # Between its nodes the integral of a step function is bilinear, so interpolation is exact.
    integral = np.pad(values.astype(np.float64).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    x = np.clip(boxes[:, [0, 2]], 0, values.shape[1])
    y = np.clip(boxes[:, [1, 3]], 0, values.shape[0])
    corner = {
        (i, j): map_coordinates(integral, [y[:, i], x[:, j]], order=1, mode="nearest")
        for i in (0, 1)
        for j in (0, 1)
    }
    return np.asarray(corner[1, 1] - corner[0, 1] - corner[1, 0] + corner[0, 0])
