"""Where the nuclei may lie on the H&E when nothing is known: every turn, mirror image, size and place is tried."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from sthelar_build.core.density import band_passed, density, thinned
from sthelar_build.core.overview import Overview
from sthelar_build.core.registration import Image

Floats = NDArray[np.float64]

SIZE_STEP = 1.055
"""Neighbouring sizes differ by this factor at most; the peak of the right place is as wide."""
_FINE_PX, _COARSE_PX = 2.0, 12.0
_MIN_OVERLAP = 0.2
"""Places where nuclei and H&E share less than this part of the smaller of them are not considered."""
_MIN_ENERGY = 0.02
"""Least share of the nuclei's own contrast that must lie on the H&E: an empty corner matches anything."""
_SAME = 0.08
"""Two poses that put the corners of the region less apart than this part of its side are one."""


@dataclass(frozen=True)
class Trial:
    """One way in which the H&E may lie."""

    mirrored: bool
    turn_deg: float
    um_per_px: float
    """Size of a level-0 pixel of the H&E."""

    @property
    def linear(self) -> Floats:
        """The (2, 2) map from um to level-0 H&E px."""
        angle = np.deg2rad(self.turn_deg)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return turn @ np.diag([-1.0 if self.mirrored else 1.0, 1.0]) / self.um_per_px


@dataclass(frozen=True, eq=False)
class Pose:
    """A place of the nuclei on the H&E, and how much speaks for it."""

    um_to_he: Floats
    """(3, 3), um to level-0 H&E px."""
    score: float
    """Correlation times the square root of the number of pixels that it rests on."""


def trials(sizes_um_per_px: Iterable[float], step_deg: float) -> list[Trial]:
    """Return every turn in steps of ``step_deg``, mirrored and not, at every size."""
    turns = np.arange(0, 360, step_deg).tolist()
    return [Trial(*trial) for trial in product((False, True), turns, sizes_um_per_px)]


def sizes_between(smallest: float, largest: float, step: float = SIZE_STEP) -> list[float]:
    """Return sizes from ``smallest`` to ``largest`` in equal ratios of at most ``step``.

    >>> [round(size, 2) for size in sizes_between(0.9, 1.1)]
    [0.9, 0.95, 0.99, 1.05, 1.1]
    """
    n_steps = int(np.ceil(np.log(largest / smallest) / np.log(step)))
    return [float(size) for size in np.geomspace(smallest, largest, n_steps + 1)]


class CoarseMap:
    """The whole H&E at low resolution, ready for nuclei in any pose."""

    def __init__(
        self,
        overview: Overview,
        points_um: Floats,
        areas_um2: Floats,
        smallest_um_per_px: float,
    ) -> None:
        """Prepare the search.

        Parameters
        ----------
        overview
            The whole image, at about the resolution at which it is searched.
        points_um, areas_um2
            (n, 2) centroids and (n,) areas of the nuclei.
        smallest_um_per_px
            The least size of a level-0 pixel that will be tried.
        """
        self._shape = overview.spots.shape
        self._step_px = np.array(overview.step_px)
        self._region = np.stack([points_um.min(axis=0), points_um.max(axis=0)])
        cell_um = smallest_um_per_px * self._step_px.min() / 3
        self._points, self._areas = thinned(points_um, areas_um2, cell_um)
        everywhere = np.ones(self._shape, dtype=np.bool_)
        feature = band_passed(overview.spots.astype(np.float32), everywhere, _FINE_PX, _COARSE_PX)
        feature /= max(float(feature.std()), 1e-9)
        diagonal_um = float(np.linalg.norm(np.ptp(self._region, axis=0)))
        reach = int(np.ceil(diagonal_um / (smallest_um_per_px * self._step_px.min()))) + 2
        self._padded = tuple(fft.next_fast_len(side + reach, real=True) for side in self._shape)
        planes = (feature, feature**2, np.ones_like(feature))
        self._spectra = [fft.rfft2(plane, self._padded) for plane in planes]

    def best_place(self, trial: Trial) -> Pose:
        """Return the best translation for one trial.

        Notes
        -----
        Normalised cross-correlation of masked images (Padfield, Masked object registration in the Fourier domain, IEEE
        Trans Image Process 21, 2012), of band-passed maps, whose local means are 0 already.
        """
        linear = trial.linear / self._step_px[:, None]
        corner, template, region = self._template(linear)
        correlation, n_shared = self._correlation(template, region)
        score = correlation * np.sqrt(n_shared)
        row, column = np.unravel_index(int(np.argmax(score)), score.shape)
        place = [
            int(index) if index < side else int(index) - padded
            for index, side, padded in zip(
                (column, row), self._shape[::-1], self._padded[::-1], strict=True
            )
        ]
        matrix = np.eye(3)
        matrix[:2, :2], matrix[:2, 2] = linear, place - corner
        matrix[:2] *= self._step_px[:, None]
        return Pose(matrix, float(score[row, column]))

    def _template(self, linear: Floats) -> tuple[Floats, Image, NDArray[np.bool_]]:
        """Return the corner of the turned nuclei's map (x, y), the map, and where it is known."""
        (left, top), (right, bottom) = self._region
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) @ linear.T
        corner, end = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
        columns, rows = (int(side) + 1 for side in end - corner)
        y, x = np.indices((rows, columns)) + 0.5
        um = (np.stack([x, y], axis=-1) + corner) @ np.linalg.inv(linear).T
        known = ((um >= self._region[0]) & (um <= self._region[1])).all(axis=-1)
        map_ = density(self._points @ linear.T - corner, self._areas, (rows, columns))
        return corner, band_passed(map_, known, _FINE_PX, _COARSE_PX), known

    def _correlation(self, template: Image, known: NDArray[np.bool_]) -> tuple[Image, Image]:
        """Return correlation and number of shared pixels for every shift; both 0 where too few are shared."""
        feature, squares, everywhere = self._spectra
        mask = known.astype(np.float32)
        turned, energy, region = (
            np.conj(fft.rfft2(plane, self._padded)) for plane in (template, template**2, mask)
        )
        product_, under, over, n_shared = (
            fft.irfft2(spectrum, self._padded)
            for spectrum in (
                feature * turned, squares * region, everywhere * energy, everywhere * region,
            )
        )  # fmt: skip
        least = _MIN_OVERLAP * min(known.sum(), np.prod(self._shape))
        under = np.maximum(under, 1e-3 * under.max() + 1e-12)
        over = np.maximum(over, _MIN_ENERGY * float(np.square(template).sum()) + 1e-12)
        n_shared = np.where(n_shared > least, n_shared, 0)
        return product_ / np.sqrt(under * over), n_shared


def distinct(poses: Iterable[Pose], corners_um: Floats, at_most: int) -> list[Pose]:
    """Return the poses of highest score of which no two are nearly the same, the best first."""
    side_um = float(np.ptp(corners_um, axis=0).max())
    kept: list[Pose] = []
    for pose in sorted(poses, key=lambda pose: -pose.score):
        if all(_apart_um(pose, other, corners_um) > _SAME * side_um for other in kept):
            kept.append(pose)
        if len(kept) == at_most:
            break
    return kept


def _apart_um(one: Pose, other: Pose, corners_um: Floats) -> float:
    between = np.linalg.solve(other.um_to_he, one.um_to_he)
    moved = corners_um @ between[:2, :2].T + between[:2, 2]
    return float(np.linalg.norm(moved - corners_um, axis=1).max())


def bands(sizes_um_per_px: Sequence[float]) -> list[list[float]]:
    """Split rising sizes into runs of at most a quarter's difference: each has an overview of its own."""
    groups: list[list[float]] = []
    for size in sizes_um_per_px:
        if groups and size <= 1.26 * groups[-1][0]:
            groups[-1].append(size)
        else:
            groups.append([size])
    return groups
