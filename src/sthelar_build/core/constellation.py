"""Where a small group of nuclei lies on the H&E: for slides whose tissue looks the same everywhere, but whose nuclei do not.

A disc of some hundred nuclei is compared nucleus by nucleus, and so small a group does not mind a turn by half a step or a size
that is off by a few percent.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import gaussian_filter

from sthelar_build.core.density import density
from sthelar_build.core.nucleus_map import NucleusMap
from sthelar_build.core.orientation import Pose, Trial
from sthelar_build.core.overview import Overview
from sthelar_build.core.registration import Image

Floats = NDArray[np.float64]

RADIUS_UM = 80.0
_SIGMA_UM = 2.5
_MIN_SPREAD = 0.3
"""Discs of the H&E whose contrast is below this share of the whole image's hold nothing to compare."""


class DiscMap:
    """The spots of the whole H&E, ready for discs of nuclei in any pose."""

    def __init__(self, overview: Overview, um_per_px: float) -> None:
        """Take an overview of ``um_per_px``-sized level-0 pixels, more or less."""
        self._step_px = np.array(overview.step_px)
        self._shape = overview.spots.shape
        own_um = um_per_px * float(self._step_px.mean())
        self._radius = RADIUS_UM / own_um
        self._sigma = _SIGMA_UM / own_um
        half = int(np.ceil(self._radius))
        y, x = np.mgrid[-half : half + 1, -half : half + 1]
        self._disc = (np.hypot(x, y) <= self._radius).astype(np.float32)
        image = overview.spots.astype(np.float32)
        image -= image.mean()
        self._padded = tuple(fft.next_fast_len(side + 2 * half, real=True) for side in self._shape)
        self._spectrum = fft.rfft2(image, self._padded)
        self._spread = self._local_spread(image)

    def best_place(self, nuclei: NucleusMap, centre_um: Floats, trial: Trial) -> Pose:
        """Return the best place of the nuclei around a centre for one trial; the score is a correlation."""
        linear = trial.linear / self._step_px[:, None]
        template = self._template(nuclei, centre_um, linear)
        product = fft.irfft2(
            self._spectrum * np.conj(fft.rfft2(template, self._padded)), self._padded
        )
        correlation = product / (self._spread * max(float(np.linalg.norm(template)), 1e-9))
        row, column = np.unravel_index(int(np.argmax(correlation)), correlation.shape)
        middle = len(self._disc) // 2
        place = [
            (int(at) if at < side else int(at) - padded) + middle + 0.5
            for at, side, padded in zip(
                (column, row), self._shape[::-1], self._padded[::-1], strict=True
            )
        ]
        matrix = np.eye(3)
        matrix[:2, :2], matrix[:2, 2] = linear, place - linear @ centre_um
        matrix[:2] *= self._step_px[:, None]
        return Pose(matrix, float(correlation[row, column]))

    def _template(self, nuclei: NucleusMap, centre_um: Floats, linear: Floats) -> Image:
        points = (nuclei.points_um - centre_um) @ linear.T + len(self._disc) / 2
        spots = density(points, nuclei.areas_um2, self._disc.shape)
        spots = gaussian_filter(spots, self._sigma, mode="constant") * self._disc
        return np.asarray(spots - self._disc * (spots.sum() / self._disc.sum()))

    def _local_spread(self, image: Image) -> Image:
        """Return the root of the summed squares about the mean under the disc, for every place of it."""
        disc = np.conj(fft.rfft2(self._disc, self._padded))
        n = float(self._disc.sum())
        total, squares = (
            fft.irfft2(fft.rfft2(plane, self._padded) * disc, self._padded)
            for plane in (image, image**2)
        )
        spread = np.sqrt(np.maximum(squares - total**2 / n, 0))
        return np.asarray(np.maximum(spread, _MIN_SPREAD * float(image.std()) * np.sqrt(n) + 1e-9))


def centres_of_discs(nuclei: NucleusMap, count: int) -> Floats:
    """Return centres (k, 2) of at most ``count`` discs with many nuclei, from the middle of the slide on, far from each other."""
    lower, upper = nuclei.bounds_um
    n_x, n_y = (int(n) for n in np.clip((upper - lower) // RADIUS_UM, 1, 60))
    inset = np.minimum(RADIUS_UM, (upper - lower) / 2)
    x, y = np.meshgrid(
        np.linspace(lower[0] + inset[0], upper[0] - inset[0], n_x),
        np.linspace(lower[1] + inset[1], upper[1] - inset[1], n_y),
    )
    places = np.stack([x.ravel(), y.ravel()], axis=1)
    filled = np.array([len(nuclei.around(place, RADIUS_UM)) for place in places])
    good = places[filled >= 0.5 * np.quantile(filled, 0.9)]
    middle = (lower + upper) / 2
    chosen = [good[int(np.argmin(np.hypot(*(good - middle).T)))]]
    while len(chosen) < min(count, len(good)):
        apart = np.min([np.hypot(*(good - place).T) for place in chosen], axis=0)
        chosen.append(good[int(np.argmax(apart))])
    return np.array(chosen)
