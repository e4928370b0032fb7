"""k-means of image features that need not fit in memory: components of all rows, centres of a sample, then all rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sthelar_build.core.feature_clusters import added, components, elbow, moments, nearest
from sthelar_build.io.progress import progress
from sthelar_build.io.workers import map_threads

Floats = NDArray[np.float32]


class Recipe(NamedTuple):
    """How to cluster; see ``EmbedSettings`` for the meaning of each."""

    variance: float
    max_clusters: int
    cluster_rows: int
    seed: int


class Clusters(NamedTuple):
    """What was found."""

    cluster: NDArray[np.int64]
    """(n,), from 0."""
    n_components: int
    n_fitted: int
    """Rows that the centres were fitted to."""
    inertias: list[float]
    """For 1, 2, ... clusters."""


def cluster_features(
    n: int, read: Callable[[slice], Floats], blocks: Sequence[slice], recipe: Recipe, threads: int
) -> Clusters:
    """Cluster rows, as STHELAR: standardised, components that keep ``variance``, k-means, k at the elbow.

    Parameters
    ----------
    n
        Number of rows, at least one.
    read
        Returns the features (m, d) of consecutive rows; several threads call it.
    blocks
        Consecutive rows that cover all: what is in memory at a time.

    Notes
    -----
    Means, covariances and components are those of all rows. Centres are fitted to ``cluster_rows`` of them at most, drawn
    at random, and every row belongs to the nearest. Sums have a fixed order: neither the number of threads nor of cores
    changes the result.
    """
    with threadpool_limits(1):
        origin = read(blocks[0]).mean(axis=0, dtype=np.float64)
        found = added(map_threads(lambda rows: moments(read(rows), origin), blocks, threads))
        plane = components(found, recipe.variance)
        rng = np.random.default_rng(recipe.seed)
        chosen = np.sort(rng.choice(n, min(n, recipe.cluster_rows), replace=False))

        def of_chosen(rows: slice) -> Floats:
            mine = chosen[(chosen >= rows.start) & (chosen < rows.stop)]
            return plane.of(read(rows)[mine - rows.start])

        sample = np.concatenate(list(map_threads(of_chosen, blocks, threads)))
        numbers = range(1, min(recipe.max_clusters, n) + 1)
        each = progress(numbers, "numbers of clusters tried", len(numbers))
        fits = [_fit(sample, k, recipe.seed) for k in each]
        inertias = [inertia for inertia, _ in fits]
        centres = fits[elbow(inertias) - 1][1]
        nearest_of = map_threads(
            lambda rows: nearest(plane.of(read(rows)), centres), blocks, threads
        )
        cluster = np.concatenate(list(nearest_of))
    return Clusters(cluster, plane.basis.shape[1], len(sample), inertias)


def _fit(points: Floats, k: int, seed: int) -> tuple[float, Floats]:
    with warnings.catch_warnings():
        # Fewer different points than clusters.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = KMeans(k, n_init=1, random_state=seed).fit(points)
    return float(fitted.inertia_), np.asarray(fitted.cluster_centers_, dtype=np.float32)
