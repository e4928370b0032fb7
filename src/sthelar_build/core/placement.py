"""From what an alignment says to one affine map, and how well its keypoints agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.affine import distances, fit_affine
from sthelar_build.schema.frames import Affine, Frame

Keypoints = tuple[NDArray[np.float64], NDArray[np.float64]]
"""(n, 2) morphology px and (n, 2) H&E px, x first."""


@dataclass(frozen=True, eq=False)
class Placement:
    """The map of the H&E onto the morphology image, and the residuals of its keypoints."""

    he_to_morphology: Affine
    residuals_um: NDArray[np.float64]
    """(n,) distance of every keypoint from where the map puts it; NaN where it cannot be known."""
    used: NDArray[np.bool_]
    """(n,) whether a keypoint is believed; the others are gross errors."""

    @property
    def believed_um(self) -> tuple[float, ...]:
        """Known residuals of the keypoints that are believed."""
        return tuple(self.residuals_um[self.used & np.isfinite(self.residuals_um)].tolist())

    @property
    def rejected_um(self) -> tuple[float, ...]:
        """Residuals of the others."""
        return tuple(self.residuals_um[~self.used & np.isfinite(self.residuals_um)].tolist())

    def record(self) -> dict[str, Any] | None:
        """Return the keypoints as JSON: residuals and use, point by point; None without keypoints."""
        if not len(self.used):
            return None
        residuals = [float(r) if np.isfinite(r) else None for r in self.residuals_um]
        return {"residuals_um": residuals, "used": self.used.tolist()}


def place(matrix: Affine | None, keypoints: Keypoints | None, pixel_size_um: float) -> Placement:
    """Return the map that a matrix, keypoints, or both describe.

    A matrix is taken as it is, and keypoints beside it only measure it. Without a matrix the map is fitted to the
    keypoints (morphology px, H&E px), and each residual is that of the fit to all the others.
    """
    if keypoints is None:
        if matrix is None:
            raise ValueError("expected a matrix, keypoints, or both")
        return Placement(matrix, np.empty(0), np.empty(0, dtype=np.bool_))
    fixed_xy, he_xy = keypoints
    fit = fit_affine(he_xy, fixed_xy)
    if matrix is None:
        fitted = Affine(fit.matrix, Frame.HE, Frame.MORPHOLOGY)
        return Placement(fitted, fit.residuals * pixel_size_um, fit.used)
    residuals_um = distances(matrix.matrix, he_xy, fixed_xy) * pixel_size_um
    return Placement(matrix, residuals_um, fit.used)
