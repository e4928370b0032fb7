"""What a tissue is made of before there are cells: niches, fibre directions, structures and fixed cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from sthelar_build.core.simulation.fields import Field
from sthelar_build.core.simulation.grid import Grid

NO_CELLS = float("inf")
GLASS = "glass"


@dataclass(frozen=True)
class Niche:
    """A neighbourhood: how dense its cells are, which they are, and what lies between them."""

    name: str
    spacing_um: float
    """Distance of neighbouring cells; ``NO_CELLS`` where only structures put cells."""
    composition: Mapping[str, float]
    """Fine label -> share, summing to 1 or less after normalisation."""
    eosin: float
    """Stain of the matter between the cells, 0 (white) to about 1 (dense collagen)."""
    fibrous: float
    """How much of that stain is drawn as fibres."""
    clefts: float
    """Share of white gaps between the fibres."""


GLASS_NICHE = Niche(GLASS, NO_CELLS, {}, eosin=0.0, fibrous=0.0, clefts=0.0)
"""The bare slide: what ``lay_glass`` paints, in every tissue."""


@dataclass(frozen=True)
class Tissue:
    """A tissue on a grid, with its structures in um."""

    grid: Grid
    niches: tuple[Niche, ...]
    niche: NDArray[np.uint8]
    """(y, x) index into ``niches``."""
    angle: Field
    """(y, x) direction of the fibres, in radians from the x axis."""
    anchors: pd.DataFrame
    """Cells that belong to structures: ``x_um``, ``y_um``, ``fine_label``, ``niche``, ``angle``,
    ``vacuole`` (index into ``vacuoles``, or -1)."""
    vessels: tuple[shapely.Polygon, ...]
    """Lumens that hold blood."""
    cavities: tuple[shapely.Polygon, ...]
    """Lumens of ducts and glands."""
    vacuoles: tuple[shapely.Polygon, ...]
    """Fat droplets, one per adipocyte."""

    def index(self, name: str) -> int:
        """Return the index of a niche by name."""
        return [niche.name for niche in self.niches].index(name)

    def on_tissue(self) -> NDArray[np.bool_]:
        """Return the mask (y, x) of everything that is not glass."""
        return np.asarray(self.niche != self.index(GLASS))


_ANCHOR_COLUMNS = ("x_um", "y_um", "fine_label", "niche", "angle", "vacuole")


@dataclass
class TissueBuilder:
    """Collects niches, structures and fixed cells while a tissue is laid out."""

    grid: Grid
    niches: tuple[Niche, ...]
    niche: NDArray[np.uint8]
    anchors: list[pd.DataFrame] = field(default_factory=list)
    vessels: list[shapely.Polygon] = field(default_factory=list)
    cavities: list[shapely.Polygon] = field(default_factory=list)
    vacuoles: list[shapely.Polygon] = field(default_factory=list)

    @classmethod
    def filled(cls, grid: Grid, niches: Iterable[Niche], name: str) -> TissueBuilder:
        """Start with one niche everywhere."""
        table = tuple(niches)
        index = [niche.name for niche in table].index(name)
        return cls(grid, table, np.full(grid.shape, index, dtype=np.uint8))

    def code(self, name: str) -> int:
        """Return the index of a niche by name."""
        return [niche.name for niche in self.niches].index(name)

    def mask(self, *names: str) -> NDArray[np.bool_]:
        """Return where any of the niches is, (y, x)."""
        return np.isin(self.niche, [self.code(name) for name in names])

    def paint(self, name: str, where: NDArray[np.bool_]) -> None:
        """Give a mask (y, x) to a niche."""
        self.niche[where] = self.code(name)

    def paint_polygon(self, name: str, polygon: shapely.Polygon) -> None:
        """Give the pixels whose centres lie in a polygon to a niche; glass stays glass."""
        left, top, right, bottom = np.asarray(polygon.bounds)
        grid = self.grid
        columns = np.arange(*_span(left, right, grid.left_um, grid.step_um, grid.shape[1]))
        rows = np.arange(*_span(top, bottom, grid.top_um, grid.step_um, grid.shape[0]))
        x = grid.left_um + (columns + 0.5) * grid.step_um
        y = grid.top_um + (rows + 0.5) * grid.step_um
        xs, ys = np.meshgrid(x, y)
        window = np.ix_(rows, columns)
        inside = shapely.contains_xy(polygon, xs, ys) & (self.niche[window] != self.code(GLASS))
        self.niche[window] = np.where(inside, self.code(name), self.niche[window])

    def anchor(
        self,
        points_um: NDArray[np.float64],
        fine_label: str | Sequence[str] | NDArray[np.str_],
        niche: str,
        angle: NDArray[np.float64] | float,
        vacuole: NDArray[np.int64] | int = -1,
    ) -> None:
        """Fix cells at points (n, 2); those on glass are left out."""
        frame = pd.DataFrame({"x_um": points_um[:, 0], "y_um": points_um[:, 1]})
        frame["fine_label"] = fine_label
        frame["niche"] = niche
        frame["angle"] = angle
        frame["vacuole"] = vacuole
        on_tissue = self.grid.at(self.niche, points_um) != self.code(GLASS)
        self.anchors.append(frame[on_tissue])

    def build(self, angle: Field) -> Tissue:
        """Return the finished tissue."""
        return Tissue(
            self.grid,
            self.niches,
            self.niche,
            angle.astype(np.float32),
            _stacked(self.anchors),
            tuple(self.vessels),
            tuple(self.cavities),
            tuple(self.vacuoles),
        )


def _stacked(anchors: list[pd.DataFrame]) -> pd.DataFrame:
    frames = [frame for frame in anchors if len(frame)]
    if frames:
        return pd.concat(frames, ignore_index=True)
    return pd.DataFrame({name: [] for name in _ANCHOR_COLUMNS}).astype(
        {"x_um": float, "y_um": float, "angle": float, "vacuole": int}
    )


def _span(low: float, high: float, origin: float, step: float, size: int) -> tuple[int, int]:
    start = int(np.clip(np.floor((low - origin) / step), 0, size))
    stop = int(np.clip(np.ceil((high - origin) / step), 0, size))
    return start, stop


def lay_glass(builder: TissueBuilder, off_tissue: NDArray[np.bool_], roughness: Field) -> None:
    """Turn a part of the region, and the rim of the grid, to bare glass with a ragged edge.

    ``roughness`` is a smooth field of deviation 1 on the grid; it moves the rim by about 4 um.
    """
    x, y = builder.grid.centres()
    left, top, right, bottom = builder.grid.bounds_um
    to_rim = np.minimum(np.minimum(x - left, right - x), np.minimum(y - top, bottom - y))
    builder.paint(GLASS, off_tissue | (to_rim < 9 + 4 * roughness))
