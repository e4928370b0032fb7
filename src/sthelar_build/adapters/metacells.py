"""Metacells: groups of like cells within a label, so that a label with several states is not one average.

As in Baran et al. 2019 (MetaCell), a group is meant to hold cells that differ by sampling only; here the groups are
those of k-means on the principal components of one label's cells, as square roots of shares: their distance is
Hellinger's, in which counting noise is alike for all genes, and no scale of the atlas plays a part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sthelar_build.core.normalise import row_sums

_COMPONENTS = 15
_STARTS = 5
_SAME = 1e-9
"""Variance, of shares' roots, below which cells do not differ."""


@dataclass(frozen=True)
class MetacellRecipe:
    """How to group; see ``AnnotateSettings``."""

    metacells_per_label: int
    min_metacell_cells: int
    seed: int


def metacell_groups(
    counts: sp.csr_matrix, labels: NDArray[np.integer], recipe: MetacellRecipe
) -> NDArray[np.intp]:
    """Return the number of every cell's group, from 0; groups of one label follow each other.

    Parameters
    ----------
    counts
        (cells, genes), linear.
    labels
        Number of every cell's label, from 0 and without a hole.
    recipe
        At most ``metacells_per_label`` groups a label, none with fewer than ``min_metacell_cells`` cells unless the
        label has no more.

    Notes
    -----
    A label of n cells gets at most n / min_metacell_cells groups. A group that is still too small is given up,
    smallest first, and its cells join the nearest of the others. One thread, so that sums are made in one
    order: the groups do not depend on the number of cores.
    """
    groups = np.zeros(len(labels), dtype=np.intp)
    made = 0
    with threadpool_limits(1):
        for label in range(int(labels.max()) + 1):
            rows = np.flatnonzero(labels == label)
            groups[rows] = made + _groups_of(counts[rows], recipe)
            made = int(groups[rows].max()) + 1
    return groups


def _groups_of(counts: sp.csr_matrix, recipe: MetacellRecipe) -> NDArray[np.intp]:
    n_cells, n_genes = counts.shape
    wanted = min(recipe.metacells_per_label, n_cells // recipe.min_metacell_cells)
    n_components = min(_COMPONENTS, n_cells - 1, n_genes - 1)
    if wanted < 2 or n_components < 1:
        return np.zeros(n_cells, dtype=np.intp)
    roots = _roots_of_shares(counts)
    if _variance(roots) < _SAME:
        return np.zeros(n_cells, dtype=np.intp)
    places = _components(roots, n_components, recipe.seed)
    centres = _centres(places, wanted, recipe.seed)
    return _large_enough(places, centres, recipe.min_metacell_cells)


def _roots_of_shares(counts: sp.csr_matrix) -> sp.csr_matrix:
    totals = row_sums(counts)
    factors = np.divide(1, totals, out=np.zeros_like(totals), where=totals > 0)
    return sp.csr_matrix(sp.diags_array(factors) @ counts.astype(np.float64)).sqrt()


def _variance(cells: sp.csr_matrix) -> float:
    means = np.asarray(cells.mean(axis=0)).ravel()
    return float(cells.power(2).sum() / cells.shape[0] - means @ means)


def _components(cells: sp.csr_matrix, n_components: int, seed: int) -> NDArray[np.float64]:
    from sklearn.decomposition import PCA

    # arpack never makes a dense matrix of sparse input.
    pca = PCA(n_components, svd_solver="arpack", random_state=seed)
    return np.asarray(pca.fit_transform(cells))


def _centres(places: NDArray[np.float64], wanted: int, seed: int) -> NDArray[np.float64]:
    from sklearn.cluster import KMeans

    different = len(np.unique(places.round(6), axis=0))
    means = KMeans(min(wanted, different), n_init=_STARTS, random_state=seed)
    return np.asarray(means.fit(places).cluster_centers_)


def _large_enough(
    places: NDArray[np.float64], centres: NDArray[np.float64], min_cells: int
) -> NDArray[np.intp]:
    """Assign every cell to the nearest centre, without the centres that get too few."""
    while True:
        distances = ((places[:, None, :] - centres) ** 2).sum(axis=2)
        nearest = distances.argmin(axis=1)
        sizes = np.bincount(nearest, minlength=len(centres))
        if len(centres) == 1 or sizes.min() >= min_cells:
            return np.asarray(nearest)
        centres = np.delete(centres, sizes.argmin(), axis=0)
