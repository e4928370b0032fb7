"""How pure clusters are: by what their cells say themselves, and by who their nearest neighbours are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class Near:
    """Nearest neighbours among a sample of the cells."""

    rows: Codes
    """Rows of the cells of the sample."""
    neighbours: Codes
    """(sample, neighbours): positions in the sample, the cell itself left out."""


def purity(named: Codes, classes: Codes, clusters: Codes, n_clusters: int) -> Floats:
    """Return for every cluster the share of its cells that name its class themselves; NaN without cells.

    ``named`` holds the class that each cell names, negative where it names none, and ``classes`` that of its cluster.
    """
    return _means(named == classes, clusters, n_clusters)


def neighbour_purity(classes: Codes, near: Near, clusters: Codes, n_clusters: int) -> Floats:
    """Return for every cluster the mean share of its cells' neighbours that have the same class; NaN without cells."""
    sampled = classes[near.rows]
    same = (sampled[near.neighbours] == sampled[:, None]).sum(axis=1)
    shares = same / max(near.neighbours.shape[1], 1)
    return _means(shares, clusters[near.rows], n_clusters)


def _means(values: NDArray[np.generic], clusters: Codes, n_clusters: int) -> Floats:
    sizes = np.bincount(clusters, minlength=n_clusters)
    sums = np.bincount(clusters, values.astype(np.float64), n_clusters)
    means = np.full(n_clusters, np.nan)
    np.divide(sums, sizes, out=means, where=sizes > 0)
    return means
