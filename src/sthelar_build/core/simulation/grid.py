"""A coarse raster of the tissue, in um: which niche lies where, and which way the fibres run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.simulation.fields import Field


@dataclass(frozen=True)
class Grid:
    """Square pixels over a rectangle in um; its corner is at (``left_um``, ``top_um``)."""

    left_um: float
    top_um: float
    step_um: float
    shape: tuple[int, int]

    @classmethod
    def around(cls, width_um: float, height_um: float, pad_um: float, step_um: float = 1.0) -> Grid:
        """Return the grid of the rectangle (0, 0, width, height), ``pad_um`` larger on every side."""
        rows = int(np.ceil((height_um + 2 * pad_um) / step_um))
        columns = int(np.ceil((width_um + 2 * pad_um) / step_um))
        return cls(-pad_um, -pad_um, step_um, (rows, columns))

    @property
    def bounds_um(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom."""
        rows, columns = self.shape
        return (
            self.left_um,
            self.top_um,
            self.left_um + columns * self.step_um,
            self.top_um + rows * self.step_um,
        )

    def centres(self) -> tuple[Field, Field]:
        """Return x and y of every pixel centre, in um, each of the grid's shape."""
        rows, columns = self.shape
        x = self.left_um + (np.arange(columns, dtype=np.float32) + 0.5) * self.step_um
        y = self.top_um + (np.arange(rows, dtype=np.float32) + 0.5) * self.step_um
        xs, ys = np.meshgrid(x, y)
        return xs.astype(np.float32), ys.astype(np.float32)

    def at(self, field: NDArray[Any], points_um: NDArray[np.float64]) -> NDArray[Any]:
        """Return the field at points (n, 2) in um, from the pixel that holds each; outside, the nearest."""
        column = ((points_um[:, 0] - self.left_um) / self.step_um).astype(int)
        row = ((points_um[:, 1] - self.top_um) / self.step_um).astype(int)
        row = np.clip(row, 0, self.shape[0] - 1)
        return np.asarray(field[row, np.clip(column, 0, self.shape[1] - 1)])
