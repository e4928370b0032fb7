"""k-means on the principal components of standardised features, in blocks of rows: nothing needs all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


class Moments(NamedTuple):
    """Sums over rows, from which means and covariances follow."""

    n: int
    total: Doubles
    """(d,): sum of the rows, minus ``origin``."""
    product: Doubles
    """(d, d): sum of their outer products."""
    origin: Doubles
    """(d,): near the mean, so that no digits are lost."""


class Components(NamedTuple):
    """A projection of features on principal components."""

    mean: Doubles
    """(d,)"""
    basis: Floats
    """(d, c): standardises and turns at once."""

    def of(self, features: Floats) -> Floats:
        """Return the components (n, c) of features (n, d)."""
        centred = features - self.mean.astype(np.float32)
        return np.asarray(centred @ self.basis, dtype=np.float32)


def moments(features: Floats, origin: Doubles) -> Moments:
    """Return those of a block of rows (n, d); ``origin`` is to be the same for all blocks."""
    rows = features.astype(np.float64) - origin
    return Moments(len(rows), rows.sum(axis=0), rows.T @ rows, origin)


def added(parts: Iterable[Moments]) -> Moments:
    """Return the moments of all rows of all parts, of which there is at least one."""
    first, *others = parts
    n, total, product = first.n, first.total.copy(), first.product.copy()
    for part in others:
        n += part.n
        total += part.total
        product += part.product
    return Moments(n, total, product, first.origin)


def components(found: Moments, variance: float) -> Components:
    """Return the fewest principal components that keep at least this share of the variance of the standardised features.

    Features that do not vary stay zero. Signs are fixed: the largest weight of a component is positive.
    """
    shift = found.total / found.n
    covariance = found.product / found.n - np.outer(shift, shift)
    spread = np.sqrt(np.maximum(np.diagonal(covariance), 0))
    constant = spread <= 1e-6 * max(float(spread.max(initial=0)), 1e-30)
    scale = np.where(constant, 0, 1 / np.where(constant, 1, spread))
    values, vectors = np.linalg.eigh(covariance * np.outer(scale, scale))
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    kept = int(np.searchsorted(np.cumsum(values), variance * values.sum() * (1 - 1e-12))) + 1
    turned = vectors[:, :kept]
    signs = np.sign(turned[np.abs(turned).argmax(axis=0), np.arange(turned.shape[1])])
    basis = scale[:, None] * turned * np.where(signs == 0, 1, signs)
    return Components(found.origin + shift, basis.astype(np.float32))


def elbow(inertias: Sequence[float]) -> int:
    """Return the number of clusters at the knee of the inertias for 1, 2, ... clusters.

    The knee is where the curve, with both axes scaled to [0, 1], lies farthest below the line from its first to its last
    point (Satopaa et al. 2011, "Kneedle", without smoothing, for a curve that falls ever slower); the first of a tie. A
    curve that never lies below has none: 1.
    """
    values = np.asarray(inertias, dtype=np.float64)
    fall = values[0] - values[-1]
    if len(values) < 3 or fall <= 0:
        return 1
    below = 1 - np.linspace(0, 1, len(values)) - (values - values[-1]) / fall
    best = int(below.argmax())
    return best + 1 if below[best] > 1e-9 else 1


def nearest(points: Floats, centres: Floats) -> NDArray[np.int64]:
    """Return the number of the nearest centre (k, c) of every point (n, c); the first of a tie."""
    squares = (centres.astype(np.float64) ** 2).sum(axis=1)
    distances = squares - 2 * (points @ centres.T).astype(np.float64)
    return np.asarray(distances.argmin(axis=1))
