"""The outlines of the objects of a label map, along pixel edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import rasterio
import rasterio.features
from numpy.typing import NDArray
from shapely.geometry import shape

from sthelar_build.core.polygons import Geometries, gathered


def mask_outlines(labels: NDArray[np.integer[Any]], left_px: float, top_px: float) -> Geometries:
    """Return one polygon or multipolygon per value of a label map but 0, in ascending order of the values.

    Parameters
    ----------
    labels
        (h, w); pixel (r, c) covers [c, c + 1) x [r, r + 1).
    left_px, top_px
        Where the map lies in its image.

    Returns
    -------
    Outlines in px of the image, with holes; pixels of one value that do not share an edge are parts.
    """
    values: list[int] = []
    parts: list[Any] = []
    grid = rasterio.Affine(1, 0, left_px, 0, 1, top_px)
    numbers = np.ascontiguousarray(labels, dtype=np.int32)
    for outline, value in rasterio.features.shapes(numbers, mask=numbers != 0, transform=grid):
        values.append(int(value))
        parts.append(shape(outline))
    order = np.argsort(values, kind="stable")
    _, group = np.unique(np.array(values, dtype=np.int64)[order], return_inverse=True)
    shapes = np.array(parts, dtype=object)[order]
    return gathered(shapes, group) if len(shapes) else shapes
