"""Nuclei from the vendor's exact raster: each pixel of a patch takes the raster pixel that holds its centre."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sthelar_build.core.raster import Ints, Map
from sthelar_build.core.raster_places import ToRaster
from sthelar_build.core.strip_patches import Strip, Visible, strip_shape

ReadWindow = Callable[[int, int, int, int], Map]
"""Takes top, left, bottom, right and returns that window of the raster: 0 beyond it, on any side."""


@dataclass(frozen=True)
class LabelledNuclei:
    """All nuclei of a slide that the raster shows."""

    row_of_label: NDArray[np.int32]
    """By label of the raster: row of the nucleus + 1; 0 for background and for labels of no nucleus. The last is 0."""
    nucleus_id: NDArray[np.uint32]
    class_index: NDArray[np.uint8]
    area_px: NDArray[np.float64]
    """Area of the whole outline, in pixels of the scale."""

    @classmethod
    def of(
        cls,
        labels: ArrayLike,
        nucleus_id: NDArray[np.uint32],
        class_index: NDArray[np.uint8],
        area_px: NDArray[np.float64],
    ) -> LabelledNuclei:
        """Arrange nuclei by their labels (n,), which are positive and distinct."""
        known = np.asarray(labels, dtype=np.int64)
        if len(np.unique(known)) < len(known) or (known < 1).any():
            raise ValueError("expected labels that are positive and distinct")
        row_of_label = np.zeros(known.max(initial=0) + 2, dtype=np.int32)
        row_of_label[known] = np.arange(1, len(known) + 1)
        return cls(row_of_label, nucleus_id, class_index, area_px)


def sampled(window: Map, rows: Ints, columns: Ints) -> Map:
    """Return the value of a raster at rows and columns (any shape), which must lie in it."""
    labels: Map = np.take(window.reshape(-1), rows * window.shape[1] + columns)
    return labels


def sample_strip(
    nuclei: LabelledNuclei,
    to_raster: ToRaster,
    read: ReadWindow,
    lefts_px: Ints,
    top_px: int,
    side_px: int,
    min_visible_px: int,
) -> tuple[Map, Visible, int]:
    """Sample the patches of one row of the grid; see ``strips.draw_strip``, which draws them.

    Every pixel of the row is sampled once. Of the raster no more is held than a block of it needs
    (``ToRaster.blocks``).
    """
    left_px = int(lefts_px[0]) if len(lefts_px) else 0
    shape = strip_shape(lefts_px, side_px)
    canvas = np.zeros(shape, dtype=np.int32)
    for block in to_raster.blocks(shape):
        size = block.height, block.width
        rows, columns = to_raster.pixels(left_px + block.left, top_px + block.top, size)
        top, left = int(rows.min()), int(columns.min())
        window = read(top, left, int(rows.max()) + 1, int(columns.max()) + 1)
        if window.any():
            labels = sampled(window, rows - top, columns - left)
            inside = canvas[block.top :, block.left :][: block.height, : block.width]
            # Labels of no nucleus lie between, or beyond the last: there it says 0.
            np.take(nuclei.row_of_label, labels, out=inside, mode="clip")
    return _numbered(nuclei, canvas, left_px).patches(lefts_px, min_visible_px)


def _numbered(nuclei: LabelledNuclei, canvas: NDArray[np.int32], left_px: int) -> Strip:
    """Give numbers within the strip to the nuclei that show: a patch takes time for every number."""
    shown = np.zeros(len(nuclei.nucleus_id) + 1, dtype=np.bool_)
    shown[canvas] = True
    shown[0] = False
    number = np.cumsum(shown, dtype=np.int32) * shown
    row = np.flatnonzero(shown) - 1
    return Strip(
        left_px,
        np.take(number, canvas),
        nuclei.nucleus_id[row],
        nuclei.class_index[row],
        nuclei.area_px[row],
    )
