"""Matrices as people get them wrong, each made from the true one; and true ones, which must be let through."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cases.case import PIXEL_SIZE_UM, Case

Matrix = NDArray[np.float64]
_SWAP = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]])


def mistaken(case: Case) -> dict[str, Matrix]:
    """Return wrong matrices H&E -> morphology of a case, by the name of the mistake."""
    true = case.he_to_morphology.matrix
    size_px = np.array([case.truth["he_width_px"], case.truth["he_height_px"]])
    um_per_px = case.truth["um_per_px"]
    middle = _about(size_px / 2)
    return {
        "inverse matrix": np.linalg.inv(true),
        "um instead of px": _scaled(PIXEL_SIZE_UM) @ true,
        "px instead of um": _scaled(1 / PIXEL_SIZE_UM) @ true,
        **{f"level x{factor:g}": true @ _scaled(factor) for factor in (2, 4, 0.5, 0.25)},
        "mirrored in x": true @ _moved([size_px[0], 0]) @ np.diag([-1.0, 1, 1]),
        "mirrored in y": true @ _moved([0, size_px[1]]) @ np.diag([1.0, -1, 1]),
        "axes swapped (H&E)": true @ _SWAP,
        "axes swapped (morphology)": _SWAP @ true,
        **{
            f"wrong region ({away_um} um)": true
            @ _moved([0.8 * away_um / um_per_px, 0.6 * away_um / um_per_px])
            for away_um in (60, 300)
        },
        "turned by 90 deg": true @ middle(_turned(90)),
        "turned by 180 deg": true @ middle(_turned(180)),
        "rotation off by 3 deg": true @ middle(_turned(3)),
        "scale off by 4 %": true @ middle(_scaled(1.04)),
    }


def correct(case: Case) -> dict[str, Matrix]:
    """Return matrices of a case that are right, or right to within a micrometre."""
    true = case.he_to_morphology.matrix
    off_px = 1 / PIXEL_SIZE_UM
    return {
        "correct": true,
        "correct, +1 um in x": _moved([off_px, 0]) @ true,
        "correct, -1 um in both": _moved([-off_px, -off_px]) @ true,
    }


def of_another_slide(case: Case, other: Case) -> Matrix:
    """Return a matrix that lays the H&E of another slide onto this one, as well as it goes: by their middles."""
    nuclei_he = other.nuclei_he()
    there = other.he_to_morphology.apply(nuclei_he).mean(axis=0)
    here = case.he_to_morphology.apply(case.nuclei_he()).mean(axis=0)
    return np.asarray(_moved(here - there) @ other.he_to_morphology.matrix)


def _scaled(factor: float) -> Matrix:
    return np.diag([factor, factor, 1.0])


def _moved(by_xy: list[float] | NDArray[np.float64]) -> Matrix:
    matrix = np.eye(3)
    matrix[:2, 2] = by_xy
    return matrix


def _turned(degrees: float) -> Matrix:
    angle = np.deg2rad(degrees)
    matrix = np.eye(3)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return matrix


def _about(centre_xy: NDArray[np.float64]) -> Callable[[Matrix], Matrix]:
    """Return what makes a map about the origin one about a centre."""
    return lambda matrix: np.asarray(_moved(centre_xy) @ matrix @ _moved(-centre_xy))
