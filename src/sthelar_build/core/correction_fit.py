"""The correction that tiles ask for, and whether it helps tiles that it was not fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from sthelar_build.core.correction import Correction
from sthelar_build.core.registration import weighted_quantiles
from sthelar_build.core.smooth_field import Grid, Scattered

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_FEWEST_TILES = 30
_STIFFNESS = (0.4 * 4.0 ** np.arange(-3, 9)).tolist()
"""From hardly any smoothing to (nearly) one shift for the whole slide."""
_FIRST = 3
_MAX_ROUNDS = 5
_N_FOLDS = 5
_TIE = 1.01
"""Of stiffnesses whose held-out errors differ by less, the larger is taken."""
_WORTHWHILE = 0.9


class Spread(NamedTuple):
    """Weighted quantiles of lengths."""

    median_um: float
    p95_um: float


@dataclass(frozen=True, eq=False)
class CorrectionFit:
    """A correction, and what it does to the tiles that are believed."""

    correction: Correction
    smooth_um: float
    """95th percentile of its length over the tiles: how far it moves nuclei."""
    without: Spread
    """How far the tiles are off without any correction."""
    held_out: Spread
    """The same with corrections that were fitted to other parts of the plane."""
    n_tiles: int
    """Tiles that were measured."""
    n_rejected: int
    """Of these, tiles that contradict those around them."""

    @property
    def helps(self) -> bool:
        """Whether tiles that it was not fitted to lie better: by a tenth in the median or the 95th percentile, in neither worse."""
        shares = np.divide(self.held_out, np.maximum(self.without, 1e-9))
        return bool(shares.min() <= _WORTHWHILE and shares.max() <= 1)

    def record(self) -> dict[str, Any]:
        """Return the figures as plain JSON."""
        return {
            "smooth_um": self.smooth_um,
            "largest_um": self.correction.largest_um,
            "without": self.without._asdict(),
            "held_out": self.held_out._asdict(),
            "n_tiles": self.n_tiles,
            "n_rejected": self.n_rejected,
            "helps": self.helps,
        }


def fit_correction(
    centres_um: Floats,
    shifts_um: Floats,
    weights: Floats | None = None,
    *,
    so_far: Correction | None = None,
    step_um: float = 200.0,
) -> CorrectionFit | None:
    """Fit a smooth correction to the shifts of tiles, some of which are wrong.

    Parameters
    ----------
    centres_um
        (n, 2) centres of all tiles; the grid covers them.
    shifts_um
        (n, 2) by how much nuclei there must move to fit the H&E (``core.drift``), NaN where that is not known.
    weights
        (n,) how much each tile counts, > 0; None for equally.
    so_far
        The correction with which the shifts were measured, if there was one.
    step_um
        Distance of the nodes.

    Returns
    -------
    The fit, of the whole displacement (``total_shifts``) and not of what ``so_far`` left to do; None if fewer than
    30 tiles were measured.

    Notes
    -----
    Penalised least squares on tensor B-splines (Eilers and Marx, Stat Sci 11, 1996) with the bending energy of the
    thin plate. Stiffness by cross-validation: blocks of ``step_um`` (or of the distance of the tiles, if larger) are
    held out in five folds, a knight's move apart, so that no two neighbours are missing at once. Outliers are rejected
    anew with the stiffness that was chosen, until that does not change. In gaps between tiles no node moves farther
    than the farthest tile that is believed.
    """
    total_um = total_shifts(centres_um, shifts_um, so_far)
    measured = np.isfinite(total_um).all(axis=1)
    if measured.sum() < _FEWEST_TILES:
        return None
    weight = np.ones(len(total_um)) if weights is None else weights.astype(np.float64)
    grid = Grid.around(centres_um, step_um)
    tiles = Scattered.on(grid, centres_um[measured], total_um[measured], weight[measured])
    folds = _folds(centres_um[measured], step_um)
    stiffness, believed = _settled(tiles, folds)
    coefficients = tiles.coefficients(tiles.weight * believed, stiffness)
    predicted_um = _predicted(tiles, believed, folds, stiffness)
    farthest_um = np.linalg.norm(tiles.vector_um[believed], axis=1).max()
    nodes_um = _at_most(farthest_um, grid.at_nodes(coefficients))
    return CorrectionFit(
        correction=Correction(grid.left_um, grid.top_um, step_um, nodes_um),
        smooth_um=_spread(tiles.basis @ coefficients, tiles, believed).p95_um,
        without=_spread(tiles.vector_um, tiles, believed),
        held_out=_spread(tiles.vector_um - predicted_um, tiles, believed),
        n_tiles=len(believed),
        n_rejected=int((~believed).sum()),
    )


def total_shifts(centres_um: Floats, shifts_um: Floats, so_far: Correction | None) -> Floats:
    """Return by how much nuclei (n, 2) must move in all, from shifts that were measured with a correction.

    Notes
    -----
    A window lies in raw um: nuclei are drawn where Xenium has them, and raw um ``q`` shows the H&E at ``affine(q + u(q))``.
    A shift ``s`` says that the nuclei of a tile at ``p`` belong where ``p + s`` shows the H&E, at ``affine(p + s + u(p + s))``:
    in all they must move by ``s + u(p + s)``. To correct again on top of a correction, fit one to these totals: corrections
    are never chained.
    """
    if so_far is None:
        return shifts_um
    measured = np.isfinite(shifts_um).all(axis=1)
    total_um = np.full(shifts_um.shape, np.nan)
    there_um = centres_um[measured] + shifts_um[measured]
    total_um[measured] = shifts_um[measured] + so_far.shifts(there_um)
    return total_um


def _folds(points_um: Floats, step_um: float) -> NDArray[np.int64]:
    """Return the fold (n,) of every point; equal for those in one block of the plane."""
    apart_um = np.median(cKDTree(points_um).query(points_um, k=2)[0][:, 1])
    column, row = np.floor(points_um / max(step_um, apart_um)).astype(np.int64).T
    return np.asarray((column + 2 * row) % _N_FOLDS)


def _settled(tiles: Scattered, folds: NDArray[np.int64]) -> tuple[float, Bools]:
    """Return the stiffness, and which tiles (n,) agree with the field of that stiffness."""
    believed, place, tried = tiles.believed(_STIFFNESS[_FIRST]), _FIRST, range(len(_STIFFNESS))
    for _ in range(_MAX_ROUNDS):
        errors = [_error(tiles, believed, folds, _STIFFNESS[number]) for number in tried]
        good = np.flatnonzero(np.array(errors) <= min(errors) * _TIE)
        before, place = place, tried[int(good[-1])]
        believed = tiles.believed(_STIFFNESS[place])
        if place == before:
            break
        tried = range(max(place - 1, 0), min(place + 2, len(_STIFFNESS)))
    return _STIFFNESS[place], believed


def _error(tiles: Scattered, believed: Bools, folds: NDArray[np.int64], stiffness: float) -> float:
    off_um = tiles.vector_um - _predicted(tiles, believed, folds, stiffness)
    return float(np.average(np.square(off_um).sum(axis=1), weights=tiles.weight * believed))


def _predicted(
    tiles: Scattered, believed: Bools, folds: NDArray[np.int64], stiffness: float
) -> Floats:
    """Return at every tile the field (n, 2) that was fitted without its fold."""
    predicted = np.empty_like(tiles.vector_um)
    for fold in np.unique(folds):
        held_out = folds == fold
        weight = tiles.weight * (believed & ~held_out)
        predicted[held_out] = tiles.field(weight, stiffness)[held_out]
    return predicted


def _at_most(largest_um: float, vectors_um: Floats) -> Floats:
    lengths_um = np.linalg.norm(vectors_um, axis=-1, keepdims=True)
    return np.asarray(vectors_um * np.minimum(1, largest_um / np.maximum(lengths_um, 1e-9)))


def _spread(vectors_um: Floats, tiles: Scattered, believed: Bools) -> Spread:
    lengths_um = np.linalg.norm(vectors_um[believed], axis=1)
    return Spread(*weighted_quantiles(lengths_um, tiles.weight[believed], [0.5, 0.95]))
