"""Fitting an affine map to pairs of points of which some may be wrong."""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_POINTS_OF_AN_AFFINE = 3
_MAX_TRIPLES = 3000
_INLIER_SCALES = 2.5
_LEAST_AGREEING = 4
_MAX_ROUNDS = 10
_FLATTEST = 1e-3
"""Points whose spread across is less than this share of their spread along are taken for collinear."""


class AffineFit(NamedTuple):
    """An affine map and how well the points agree with it."""

    matrix: Floats
    """(3, 3), acts on column vectors (x, y, 1)."""
    residuals: Floats
    """(n,) distance of each target from where the fit to all other used points puts it; NaN if those are too few."""
    used: NDArray[np.bool_]
    """(n,) whether a point took part in the final fit; the others are gross errors."""


def fit_affine(source_xy: ArrayLike, target_xy: ArrayLike) -> AffineFit:
    """Fit the affine map that takes source to target, unmoved by gross errors.

    Parameters
    ----------
    source_xy, target_xy
        (n, 2) pairs of points, n >= 3, not collinear.

    Returns
    -------
    The map, leave-one-out residuals in units of the target, and which points were used. Nearly
    half of the points may be wrong; with three or four nothing can be told to be wrong, and all are used.

    Notes
    -----
    Least median of squares over triples of points, then least squares over the points within 2.5 robust standard deviations (Rousseeuw
    and Leroy, Robust Regression and Outlier Detection, 1987). More than 3000 triples are sampled, always the same.
    """
    source = np.asarray(source_xy, dtype=np.float64)
    target = np.asarray(target_xy, dtype=np.float64)
    if source.shape != target.shape or source.ndim != 2 or len(source) < _POINTS_OF_AN_AFFINE:
        raise ValueError(f"expected two (n >= 3, 2) arrays, got {source.shape} and {target.shape}")
    if are_collinear(source):
        raise ValueError("expected points that do not lie on one line")
    used = _believable(source, target)
    matrix = _least_squares(source[used], target[used])
    return AffineFit(matrix, _residuals(source, target, matrix, used), used)


def agreed_affine(
    source_xy: Floats, target_xy: Floats, weights: Floats, tolerance: float, max_strain: float
) -> tuple[Floats, NDArray[np.bool_]] | None:
    """Fit the affine map that most of the weight agrees with, however many pairs are wrong.

    Parameters
    ----------
    source_xy, target_xy
        (n, 2) pairs of points in one unit.
    weights
        (n,) how much each pair is believed, > 0.
    tolerance
        Pairs that the map misses by more are left out.
    max_strain
        Largest entry of the linear part minus the identity: pairs that say more are not believed.

    Returns
    -------
    The map (3, 3) and which pairs were used; None if fewer than four agree.

    Notes
    -----
    M-estimator sample consensus over triples (Torr and Zisserman, MLESAC, Comput Vis Image Underst 78, 2000), then weighted least squares over
    the pairs that agree, until these do not change.
    """
    if len(source_xy) < _LEAST_AGREEING or are_collinear(source_xy):
        return None
    errors, strains = _triple_maps(source_xy, target_xy)
    support = np.clip(1 - (errors / tolerance) ** 2, 0, None) @ weights
    support[strains > max_strain] = 0
    if not len(support) or support.max() <= 0:
        return None
    used = errors[int(np.argmax(support))] <= tolerance
    for _ in range(_MAX_ROUNDS):
        if used.sum() < _LEAST_AGREEING or are_collinear(source_xy[used]):
            return None
        matrix = _least_squares(source_xy[used], target_xy[used], weights[used])
        before, used = used, distances(matrix, source_xy, target_xy) <= tolerance
        if (before == used).all():
            break
    if used.sum() < _LEAST_AGREEING:
        return None
    return matrix, used


def are_collinear(points_xy: ArrayLike) -> bool:
    """Return whether points (n, 2) lie on one line, or so nearly that no map can be fitted."""
    points = np.asarray(points_xy, dtype=np.float64)
    along, across = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)[:2]
    return bool(across <= _FLATTEST * along)


def distances(matrix: Floats, source_xy: Floats, target_xy: Floats) -> Floats:
    """Return the distance of each target from its mapped source, in units of the target."""
    mapped = source_xy @ matrix[:2, :2].T + matrix[:2, 2]
    return np.asarray(np.linalg.norm(mapped - target_xy, axis=1))


def _believable(source: Floats, target: Floats) -> NDArray[np.bool_]:
    """Return which points agree with the triple that disagrees least with the better half of all."""
    n = len(source)
    everything = np.ones(n, dtype=np.bool_)
    if n <= _POINTS_OF_AN_AFFINE + 1:
        return everything
    half = (n + _POINTS_OF_AN_AFFINE + 1) // 2
    errors = _errors_of_triples(source, target)
    medians = np.partition(errors, half - 1, axis=1)[:, half - 1]
    best = int(np.argmin(medians))
    # Never below rounding: of points without any error, all but three would be rejected.
    least = 1e-9 * float(np.ptp(target, axis=0).max())
    scale = 1.4826 * (1 + 5 / (n - _POINTS_OF_AN_AFFINE)) * float(medians[best])
    used = errors[best] <= _INLIER_SCALES * max(scale, least)
    return everything if are_collinear(source[used]) else np.asarray(used)


def _errors_of_triples(source: Floats, target: Floats) -> Floats:
    return _triple_maps(source, target)[0]


def _triple_maps(source: Floats, target: Floats) -> tuple[Floats, Floats]:
    """Return of maps through three points each the distances (maps, n) of all points, and the strains (maps,)."""
    # In units of the spread, so that the solver does not meet large numbers.
    spread = float(np.ptp(source, axis=0).max())
    plane = np.column_stack([(source - source.mean(axis=0)) / spread, np.ones(len(source))])
    triples = _triples(len(source))
    corners = plane[triples]
    area = np.abs(np.linalg.det(corners))
    spans = area > _FLATTEST * area.max()
    solved = np.linalg.solve(corners[spans], target[triples[spans]])
    errors = np.linalg.norm(plane @ solved - target, axis=2)
    strains = np.abs(solved[:, :2] / spread - np.eye(2)).max(axis=(1, 2), initial=0)
    return np.asarray(errors), np.asarray(strains)


def _triples(n: int) -> NDArray[np.int64]:
    """Return triples of n points: all of them, or a fixed sample."""
    if comb(n, 3) <= _MAX_TRIPLES:
        return np.array(list(combinations(range(n), 3)))
    rng = np.random.default_rng(0)
    return np.array([rng.choice(n, 3, replace=False) for _ in range(_MAX_TRIPLES)])


def _residuals(source: Floats, target: Floats, matrix: Floats, used: NDArray[np.bool_]) -> Floats:
    residuals = distances(matrix, source, target)
    for point in np.flatnonzero(used):
        others = used.copy()
        others[point] = False
        if others.sum() < _POINTS_OF_AN_AFFINE or are_collinear(source[others]):
            residuals[point] = np.nan
            continue
        without = _least_squares(source[others], target[others])
        residuals[point] = distances(without, source[[point]], target[[point]])[0]
    return residuals


def _least_squares(source: Floats, target: Floats, weights: Floats | None = None) -> Floats:
    # About the centre, so that large coordinates do not cost digits.
    centre, aim = (np.average(points, axis=0, weights=weights) for points in (source, target))
    root = np.ones((len(source), 1)) if weights is None else np.sqrt(weights)[:, None]
    linear = np.linalg.lstsq((source - centre) * root, (target - aim) * root, rcond=None)[0].T
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = linear, aim - linear @ centre
    return matrix
