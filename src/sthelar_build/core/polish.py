"""A rough place of the nuclei on the H&E, made exact: windows are matched at rising resolution, and a map is fitted to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

from sthelar_build.core.affine import agreed_affine
from sthelar_build.core.nucleus_map import NucleusMap
from sthelar_build.core.registration import Image, Window, best_shift, correlation_surface
from sthelar_build.schema.frames import Affine

Floats = NDArray[np.float64]
Haematoxylin = Callable[[Window, Affine], Image]
"""Draws the haematoxylin of the H&E on a window, given the map from um to level-0 H&E px."""

_MIN_NUCLEI = 8
_MIN_WEIGHT = 0.02
_MORE_ROUNDS = 4
_FREE = 3
_NEAR_BY_CHANCE = 0.05
_SURE = 1e-5
_SHOWS = 0.1
"""A window whose best correlation exceeds that of far shifts by so much shows where it belongs."""


class Mapper(Protocol):
    """Applies a function to items, in order, perhaps in several threads."""

    def __call__(self, function: Callable[[Any], Any], items: Iterable[Any], /) -> Iterable[Any]:
        """Return the results in the order of the items."""


@dataclass(frozen=True)
class Step:
    """One resolution of the matching."""

    um_per_px: float
    window_um: float
    search_um: float
    max_windows: int
    tolerance_um: float
    """Windows that disagree with the fitted map by more are left out of it."""
    max_strain: float
    """The map may stretch or turn what the step before found by so much, not more."""


@dataclass(frozen=True, eq=False)
class Polished:
    """A map from um to level-0 H&E px, and how many windows speak for it."""

    um_to_he: Affine
    n_agreeing: int
    n_showing: int
    """Windows in which some shift stands out, whether it agrees or not."""
    support: float
    """Sum of how clearly the agreeing windows show it."""

    @property
    def agreeing(self) -> float:
        """Share of the windows with a clear shift that agree; 0 without any."""
        return self.n_agreeing / max(1, self.n_showing)

    @property
    def is_sure(self) -> bool:
        """Whether so many windows do not agree by chance; a few of a distorted section may be enough.

        Three of them are free: they fix the map. Of the others, 5 % lie near it if it is wrong.
        """
        n, least = self.n_showing - _FREE, self.n_agreeing - _FREE
        return least > 0 and float(bdtrc(least - 1, n, _NEAR_BY_CHANCE)) < _SURE


def coarse_steps(from_um_per_px: float, to_um_per_px: float) -> list[Step]:
    """Return steps that halve the pixel from one size to (about) the other, on soft spots of 48 x 48 px."""
    n_halvings = max(0, int(np.ceil(np.log2(from_um_per_px / to_um_per_px) - 1e-9)))
    return [
        Step(
            um_per_px=size,
            window_um=48 * size,
            search_um=10 * size,
            max_windows=80,
            tolerance_um=2 * size,
            max_strain=0.12 if number == 0 else 0.06,
        )
        for number, size in enumerate(from_um_per_px / 2.0 ** np.arange(n_halvings + 1))
    ]


def fine_steps(max_windows: int) -> list[Step]:
    """Return the steps at which single nuclei count, the last one twice."""
    rough = Step(1.0, 100, 16, min(120, max_windows), 2.0, 0.03)
    exact = Step(0.5, 100, 8, max_windows, 1.0, 0.02)
    return [rough, exact, exact]


def refining_steps(max_windows: int) -> list[Step]:
    """Return the steps for a map that may be off by some tens of um."""
    return [Step(2.0, 96, 40, 120, 4.0, 0.05), *fine_steps(max_windows)]


def polish(
    nuclei: NucleusMap,
    start: Affine,
    steps: Sequence[Step],
    haematoxylin: Haematoxylin,
    mapper: Mapper = map,
) -> Polished:
    """Return the map from um to H&E px that the windows agree on, step by step from ``start``.

    The last step is taken again as long as more windows agree: a map that some windows wanted draws in their neighbours.
    A step whose windows agree on nothing leaves the map as it is, and says so by its support of 0.
    """
    found = Polished(start, 0, 0, 0.0)
    for step in steps:
        found = _one_step(nuclei, found.um_to_he, step, haematoxylin, mapper)
    for _ in range(_MORE_ROUNDS if steps else 0):
        better = _one_step(nuclei, found.um_to_he, steps[-1], haematoxylin, mapper)
        if better.n_agreeing <= found.n_agreeing:
            break
        found = better
    return found


def _one_step(
    nuclei: NucleusMap, um_to_he: Affine, step: Step, haematoxylin: Haematoxylin, mapper: Mapper
) -> Polished:
    windows = spread_windows(nuclei, step)
    search_px = round(step.search_um / step.um_per_px)

    def shift(window: Window) -> tuple[float, float, float]:
        image = haematoxylin(window.grown(search_px), um_to_he)
        best = best_shift(correlation_surface(image, nuclei.drawn(window)))
        return best.dx_px * window.um_per_px, best.dy_px * window.um_per_px, best.gain

    shifts = np.array(list(mapper(shift, windows)), dtype=np.float64).reshape(-1, 3)
    centres = np.array([window.corners_um.mean(axis=0) for window in windows]).reshape(-1, 2)
    # Where all shifts are alike the first, a corner, is the best: empty windows would agree on it.
    speaks = shifts[:, 2] > 0
    centres, shifts = centres[speaks], shifts[speaks]
    gain = shifts[:, 2]
    weights = np.maximum(gain, _MIN_WEIGHT) ** 2
    agreed = agreed_affine(
        centres, centres + shifts[:, :2], weights, step.tolerance_um, step.max_strain
    )
    n_showing = int((gain > _SHOWS).sum())
    if agreed is None:
        return Polished(um_to_he, 0, n_showing, 0.0)
    moved, used = agreed
    # Nuclei belong where ``moved`` puts them: what was there on the H&E is now theirs.
    better = Affine(um_to_he.matrix @ moved, um_to_he.source, um_to_he.target)
    n_agreeing = int((used & (gain > _SHOWS)).sum())
    return Polished(better, n_agreeing, n_showing, float(gain[used].clip(0).sum()))


def spread_windows(nuclei: NucleusMap, step: Step) -> list[Window]:
    """Return windows with nuclei, spread evenly over the slide; they overlap where it is small."""
    lower, upper = nuclei.bounds_um
    extent_um = np.maximum(upper - lower, 1.0)
    fitting = np.maximum(1, np.floor(extent_um / step.window_um))
    n_x, n_y = (int(n) if n > 3 else min(5, int(2 * n + 1)) for n in fitting)
    side_px = max(1, round(step.window_um / step.um_per_px))
    half_um = side_px * step.um_per_px / 2
    windows = [
        Window(x_um - half_um, y_um - half_um, step.um_per_px, (side_px, side_px))
        for y_um, x_um in product(
            _centres(lower[1], extent_um[1], n_y, half_um),
            _centres(lower[0], extent_um[0], n_x, half_um),
        )
    ]
    filled = [window for window in windows if len(nuclei.inside(window)) >= _MIN_NUCLEI]
    chosen = np.linspace(0, len(filled) - 1, min(len(filled), step.max_windows)).round()
    return [filled[int(place)] for place in chosen]


def _centres(first_um: float, extent_um: float, count: int, half_um: float) -> list[float]:
    """Return centres between the borders: the outermost windows inside them, but never all in one place."""
    inset_um = min(half_um, extent_um / 4)
    places = np.linspace(first_um + inset_um, first_um + extent_um - inset_um, count)
    return places.tolist() if count > 1 else [first_um + extent_um / 2]
