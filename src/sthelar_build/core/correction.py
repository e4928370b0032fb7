"""What an affine registration cannot follow: a smooth displacement of the um plane, applied before the affine map.

Points go ``um`` (as Xenium gives them) -> moved by the correction, still ``um`` -> affine -> ``he``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import map_coordinates, spline_filter

from sthelar_build.schema.frames import Affine, Frame

Floats = NDArray[np.float64]

_DIGITS = 4
"""Decimals that are kept of every length in um, here as in files: what is read back is what was used."""
_CHUNK = 1 << 20
_MOST_STEPS = 100
_FEWEST_NODES = 3


@dataclass(frozen=True, eq=False)
class Correction:
    """By how much points of the um plane move to fit the H&E, on a regular grid of nodes.

    Between nodes the uniform cubic B-spline that goes through all of them counts (mirrored at the outermost nodes, where
    it is level); beyond them the value of the nearest point of the border, so that no displacement is extrapolated.
    """

    left_um: float
    top_um: float
    step_um: float
    shift_um: Floats
    """(rows, columns, 2): dx and dy of the node at (left + column * step, top + row * step)."""

    def __post_init__(self) -> None:
        shift_um = np.round(np.array(self.shift_um, dtype=np.float64), _DIGITS)
        if shift_um.ndim != 3 or shift_um.shape[2] != 2 or min(shift_um.shape[:2]) < _FEWEST_NODES:
            raise ValueError(
                f"expected shifts (rows, columns, 2) of at least 3 x 3 nodes, got {shift_um.shape}"
            )
        if not (np.isfinite(shift_um).all() and self.step_um > 0):
            raise ValueError("expected finite shifts and nodes that lie apart")
        shift_um.flags.writeable = False
        object.__setattr__(self, "shift_um", shift_um)
        for name in ("left_um", "top_um", "step_um"):
            object.__setattr__(self, name, round(float(getattr(self, name)), _DIGITS))

    @property
    def largest_um(self) -> float:
        """Length of the largest shift of a node."""
        return float(np.hypot(*self.shift_um.reshape(-1, 2).T).max())

    def apply(self, points_um: ArrayLike) -> Floats:
        """Move points (n, 2), x first."""
        points = np.asarray(points_um, dtype=np.float64).reshape(-1, 2)
        moved = np.empty_like(points)
        for start in range(0, len(points), _CHUNK):
            part = points[start : start + _CHUNK]
            moved[start : start + _CHUNK] = part + self.shifts(part)
        return moved

    def undo(self, points_um: ArrayLike) -> Floats:
        """Return the points (n, 2) that move to these, to 0.0001 um, by fixed-point iteration.

        It converges where neighbours move alike (no stretch by 100 % or more), which a fitted correction is far from;
        where one folds, the last of 100 steps counts.
        """
        moved = np.asarray(points_um, dtype=np.float64).reshape(-1, 2)
        found = moved
        for _ in range(_MOST_STEPS):
            before, found = found, moved - (self.apply(found) - found)
            if np.abs(found - before).max(initial=0) < 10.0**-_DIGITS / 2:
                break
        return found

    def shifts(self, points_um: Floats) -> Floats:
        """Return by how much points (n, 2) move."""
        farthest = np.array(self.shift_um.shape[1::-1]) - 1
        place = (points_um - [self.left_um, self.top_um]) / self.step_um
        row_column = np.clip(place, 0, farthest).T[::-1]
        found = [
            map_coordinates(part, row_column, order=3, mode="mirror", prefilter=False)
            for part in self._coefficients
        ]
        return np.stack(found, axis=1)

    @cached_property
    def _coefficients(self) -> list[Floats]:
        """Those of the B-spline through the nodes, of dx and of dy."""
        return [spline_filter(self.shift_um[..., axis], order=3, mode="mirror") for axis in (0, 1)]


@dataclass(frozen=True, eq=False)
class CorrectedMap:
    """A correction of the um plane, then an affine map out of it; a ``schema.frames.PointMap``."""

    correction: Correction
    affine: Affine

    def __post_init__(self) -> None:
        if self.affine.source is not Frame.UM:
            raise ValueError(f"a correction moves points in um, not in {self.affine.source}")

    @property
    def source(self) -> Frame:
        """The frame of the points that it takes."""
        return self.affine.source

    @property
    def target(self) -> Frame:
        """The frame of the points that it gives."""
        return self.affine.target

    @property
    def scale(self) -> float:
        """Target units per um of the affine map; the correction stretches by some per cent here and there."""
        return self.affine.scale

    def apply(self, points_um: ArrayLike) -> Floats:
        """Map points of shape (n, 2), x first."""
        return self.affine.apply(self.correction.apply(points_um))

    def apply_to_geometries(self, geometries: Sequence[Any] | NDArray[Any]) -> NDArray[Any]:
        """Map an array of shapely geometries, vertex by vertex."""
        return np.asarray(shapely.transform(np.asarray(geometries, dtype=object), self.apply))

    def near(self, points_um: ArrayLike) -> Affine:
        """Return the affine map that comes closest to this one at points (n, 2), by least squares.

        Over points spread evenly it is right on average. Where a distortion of 10 um has a wavelength of 1.5 mm, it
        misses by up to 0.2 um in a window of 120 um.
        """
        points = np.asarray(points_um, dtype=np.float64)
        centre = points.mean(axis=0)
        plane = np.column_stack([points - centre, np.ones(len(points))])
        slopes = np.linalg.lstsq(plane, self.correction.shifts(points), rcond=None)[0]
        moved = np.eye(3)
        moved[:2, :2] += slopes[:2].T
        moved[:2, 2] = slopes[2] - slopes[:2].T @ centre
        return Affine(self.affine.matrix @ moved, self.source, self.target)
