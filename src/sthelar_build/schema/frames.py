"""The four frames of a slide, and transforms that know where they come from and go to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray


class Frame(StrEnum):
    """A coordinate frame; x runs right, y runs down, and a pixel's corner is at its integer coordinates."""

    UM = "um"
    """Xenium micrometres."""
    MORPHOLOGY = "morphology"
    """Level-0 pixels of the DAPI image: um / pixel_size. SpatialData calls it ``global``."""
    HE = "he"
    """Level-0 pixels of the H&E image."""
    PATCH = "patch"
    """Pixels of one patch."""


class PointMap(Protocol):
    """A plane map between two frames, affine or nearly so."""

    @property
    def source(self) -> Frame:
        """The frame of the points that it takes."""

    @property
    def target(self) -> Frame:
        """The frame of the points that it gives."""

    @property
    def scale(self) -> float:
        """Target units per source unit."""

    def apply(self, points_xy: ArrayLike) -> NDArray[np.float64]:
        """Map points of shape (n, 2), x first."""

    def apply_to_geometries(self, geometries: Sequence[Any] | NDArray[Any]) -> NDArray[Any]:
        """Map an array of shapely geometries, vertex by vertex."""

    def near(self, points_xy: ArrayLike) -> Affine:
        """Return the affine map that comes closest to this one at points (n, 2) of ``source``."""


@dataclass(frozen=True, eq=False)
class Affine:
    """A plane affine map from ``source`` to ``target``; frames that do not meet cannot be chained.

    ``matrix`` is 3x3 float64 and acts on column vectors (x, y, 1).
    """

    matrix: NDArray[np.float64]
    source: Frame
    target: Frame

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        if matrix.shape != (3, 3) or not np.allclose(matrix[2], [0, 0, 1]):
            raise ValueError(
                f"expected a 3x3 matrix whose last row is 0 0 1, got {matrix.tolist()}"
            )
        matrix.flags.writeable = False
        object.__setattr__(self, "matrix", matrix)

    @classmethod
    def scaling(cls, factor: float, source: Frame, target: Frame) -> Affine:
        """Return the map that multiplies x and y by ``factor``."""
        matrix = np.eye(3, dtype=np.float64)
        matrix[0, 0] = matrix[1, 1] = factor
        return cls(matrix, source, target)

    @property
    def scale(self) -> float:
        """Target units per source unit: the square root of the area ratio."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix[:2, :2]))))

    def inverse(self) -> Affine:
        """Return the map from ``target`` back to ``source``."""
        inverse = np.linalg.inv(self.matrix).astype(np.float64)
        return Affine(inverse, self.target, self.source)

    def then(self, following: Affine) -> Affine:
        """Return this map followed by another; refuses frames that do not meet."""
        if self.target is not following.source:
            raise ValueError(
                f"cannot chain {self.source}->{self.target} with {following.source}->{following.target}"
            )
        return Affine(following.matrix @ self.matrix, self.source, following.target)

    def apply(self, points_xy: ArrayLike) -> NDArray[np.float64]:
        """Map points of shape (n, 2), x first."""
        points = np.asarray(points_xy, dtype=np.float64)
        return np.asarray(points @ self.matrix[:2, :2].T + self.matrix[:2, 2])

    def apply_to_geometries(self, geometries: Sequence[Any] | NDArray[Any]) -> NDArray[Any]:
        """Map an array of shapely geometries, vertex by vertex."""
        return np.asarray(shapely.transform(np.asarray(geometries, dtype=object), self.apply))

    def near(self, points_xy: ArrayLike) -> Affine:
        """Return the map itself: it is the same at all points."""
        return self
