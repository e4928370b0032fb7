"""What a matrix H&E px -> morphology px does, in numbers that can be looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sthelar_build.schema.frames import Affine


@dataclass(frozen=True)
class MatrixFacts:
    """A matrix taken apart."""

    rotation_deg: float
    """-180 to 180, clockwise on the screen: how far the H&E is turned, once mirrored if it is."""
    mirrored: bool
    """Left and right of the H&E change places before it is turned."""
    anisotropy: float
    """Largest stretch over the smallest, 1 or more."""
    shear_deg: float
    """By how much the right angle between the axes of the H&E is lost, 0 to 90."""
    um_per_px: float
    """Size of an H&E pixel."""


def matrix_facts(he_to_morphology: Affine, pixel_size_um: float) -> MatrixFacts:
    """Take a matrix apart; ``pixel_size_um`` is that of the morphology image.

    Notes
    -----
    Rotation and stretch by singular values: the rotation is the orthogonal matrix nearest to the linear part (Higham, Computing the polar decomposition,
    SIAM J Sci Stat Comput 7, 1986), without its mirror.
    """
    linear = he_to_morphology.matrix[:2, :2]
    left, stretch, right = np.linalg.svd(linear)
    mirrored = bool(np.linalg.det(linear) < 0)
    turn = left @ right @ np.diag([-1.0 if mirrored else 1.0, 1.0])
    x_axis, y_axis = (linear / np.linalg.norm(linear, axis=0)).T
    return MatrixFacts(
        rotation_deg=float(np.degrees(np.arctan2(turn[1, 0], turn[0, 0]))),
        mirrored=mirrored,
        anisotropy=float(stretch[0] / stretch[1]),
        shear_deg=float(np.degrees(np.arcsin(np.clip(abs(x_axis @ y_axis), 0, 1)))),
        um_per_px=pixel_size_um * he_to_morphology.scale,
    )
