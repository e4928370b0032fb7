"""Where the pixels of a patch lie in the vendor's raster, which is in the morphology frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.correction import Correction
from sthelar_build.schema.frames import Affine, Frame

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_NODE_PX = 16
"""Distance of the nodes between which the undone correction is linear. Where a distortion of 10 um has a wavelength of
1.5 mm, at 0.27 um per px, that is off by less than 0.001 um."""
_BLOCK_RASTER_PX = 1024
"""Blocks reach about so far over the raster, so that a window holds one chunk or few, however it is turned."""
_ON_EDGE = 1e-6
"""A centre on an edge belongs to the pixel right of or below it, as in ``core.raster``, whatever rounding says."""


@dataclass(frozen=True)
class Block:
    """A part of a strip, in pixels of the scale; ``left`` counts from the strip's edge, as does ``top``."""

    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True, eq=False)
class ToRaster:
    """The way from pixels of a scale to those of the raster: he -> morphology, then the correction undone."""

    he_to_morphology: Affine
    downsample: float
    """Level-0 H&E pixels per pixel of the scale."""
    pixel_size_um: float
    """Size of a raster pixel."""
    correction: Correction | None = None

    def __post_init__(self) -> None:
        ends = self.he_to_morphology.source, self.he_to_morphology.target
        if ends != (Frame.HE, Frame.MORPHOLOGY):
            raise ValueError(f"expected a transform he -> morphology, got {ends[0]} -> {ends[1]}")

    def pixels(self, left_px: int, top_px: int, shape: tuple[int, int]) -> tuple[Ints, Ints]:
        """Return row and column of the raster pixel that holds the centre of each pixel of a window.

        Parameters
        ----------
        left_px, top_px
            Corner of the window, in pixels of the scale.
        shape
            Its rows and columns.

        Returns
        -------
        Two arrays of ``shape``, int64; they may lie beyond the raster, on any side.
        """
        across = left_px + np.arange(shape[1], dtype=np.float64) + 0.5
        down = top_px + np.arange(shape[0], dtype=np.float64) + 0.5
        x, y = self._affine(across, down)
        if self.correction:
            dx, dy = self._undone(left_px, top_px, shape)
            x, y = x + dx, y + dy
        rows, columns = (np.floor(place + _ON_EDGE).astype(np.int64) for place in (y, x))
        return rows, columns

    def blocks(self, shape: tuple[int, int]) -> Iterator[Block]:
        """Cut a strip into blocks, each of which needs a small window of the raster."""
        side = max(1, int(_BLOCK_RASTER_PX / (self.he_to_morphology.scale * self.downsample)))
        for top in range(0, shape[0], side):
            for left in range(0, shape[1], side):
                yield Block(top, left, min(side, shape[0] - top), min(side, shape[1] - left))

    def _affine(self, x_px: Floats, y_px: Floats) -> tuple[Floats, Floats]:
        """Map a grid of points, given by its columns and rows, to raster pixels: (rows, columns) each."""
        matrix = self.he_to_morphology.matrix
        across, down = x_px * self.downsample, y_px * self.downsample
        x, y = (
            (matrix[axis, 0] * across)[None, :]
            + (matrix[axis, 1] * down + matrix[axis, 2])[:, None]
            for axis in (0, 1)
        )
        return x, y

    def _undone(self, left_px: int, top_px: int, shape: tuple[int, int]) -> tuple[Floats, Floats]:
        """Return by how much points of a window move when the correction is undone, in raster pixels."""
        assert self.correction is not None
        nodes = [np.arange(0, n + _NODE_PX, _NODE_PX, dtype=np.float64) for n in shape[::-1]]
        placed = self._affine(left_px + nodes[0], top_px + nodes[1])
        moved_um = np.stack([place.ravel() for place in placed], axis=1) * self.pixel_size_um
        shift_px = (self.correction.undo(moved_um) - moved_um) / self.pixel_size_um
        across, down = (_between(len(axis), n) for axis, n in zip(nodes, shape[::-1], strict=True))
        grids = (column.reshape(len(nodes[1]), len(nodes[0])) for column in shift_px.T)
        dx, dy = (down @ grid @ across.T for grid in grids)
        return dx, dy


def _between(n_nodes: int, n_px: int) -> Floats:
    """Return the weights (pixels, nodes) of linear interpolation at the centres of pixels."""
    place = (np.arange(n_px) + 0.5) / _NODE_PX
    before = place.astype(np.int64)
    weights = np.zeros((n_px, n_nodes))
    weights[np.arange(n_px), before] = 1 - (place - before)
    weights[np.arange(n_px), before + 1] = place - before
    return weights
