"""How well the profiles of clusters explain the molecules of cells; the cells one block after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from sthelar_build.core.normalise import BLOCK_ROWS, group_sums, row_blocks

_PRIOR_PER_GENE = 0.3
_MOST_VALUES = 2**22
"""Of cells times clusters at a time."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ClusterProfiles:
    """Profiles of clusters, smoothed, and the cells that they are made of."""

    taught: NDArray[np.integer]
    """Cluster whose profile a cell is part of; -1 for none."""
    profiles: Floats
    """(clusters, genes): summed counts, and the prior."""

    @classmethod
    def of(
        cls,
        counts: sp.csr_matrix,
        clusters: NDArray[np.integer],
        n_clusters: int,
        teachers: NDArray[np.bool_],
    ) -> ClusterProfiles:
        """Take the profiles of the teachers among the cells (cells, genes); see :func:`cluster_log_likelihoods`."""
        taught = np.where(teachers, clusters, -1)
        sums = group_sums(counts, taught, n_clusters)
        whole = sums.sum(axis=0) + 1e-9
        return cls(taught, sums + _PRIOR_PER_GENE * counts.shape[1] * whole / whole.sum())

    def log_likelihoods(self, counts: sp.csr_matrix) -> Iterator[tuple[slice, Floats]]:
        """Yield rows of the cells, and how well every cluster explains them (rows, clusters).

        The more clusters, the fewer rows at a time: memory does not grow with cells times clusters.
        """
        totals = self.profiles.sum(axis=1)
        logs = (np.log(self.profiles) - np.log(totals)[:, None]).T
        at_a_time = min(BLOCK_ROWS, max(1, _MOST_VALUES // max(len(totals), 1)))
        for rows in row_blocks(counts.shape[0], at_a_time):
            block, taught = counts[rows], self.taught[rows]
            likely = np.asarray(block @ logs)
            inside = np.flatnonzero(taught >= 0)
            own = taught[inside]
            likely[inside, own] = _left_out(block[inside], self.profiles, totals, own)
            yield rows, likely


def cluster_log_likelihoods(
    counts: sp.csr_matrix,
    clusters: NDArray[np.integer],
    n_clusters: int,
    teachers: NDArray[np.bool_],
) -> Floats:
    """Return how well the profile of every cluster explains the molecules of every cell.

    Parameters
    ----------
    counts
        (cells, genes) raw counts.
    clusters
        Cluster of every cell.
    n_clusters
        Number of clusters; few, as all is returned at once.
    teachers
        The cells that profiles are made of; a cluster without any takes the profile of all.

    Returns
    -------
    (cells, clusters): multinomial log likelihood, up to a constant per cell. Profiles are smoothed with
    molecules of the whole slide's profile, 0.3 for every gene, so no gene rules a cluster out. A cell that teaches is left out of its
    own cluster's profile, where its molecules would speak for themselves: the fewer molecules a gene has, the louder.
    """
    likely = np.empty((counts.shape[0], n_clusters))
    for rows, block in ClusterProfiles.of(counts, clusters, n_clusters, teachers).log_likelihoods(
        counts
    ):
        likely[rows] = block
    return likely


def _left_out(
    counts: sp.csr_matrix, profiles: Floats, totals: Floats, own: NDArray[np.integer]
) -> Floats:
    """Return the log likelihood of rows under the profile of their own cluster, made without them."""
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    others = profiles[own[row], counts.indices] - counts.data
    n_own = np.bincount(row, counts.data, counts.shape[0])
    # Profiles hold every teacher and a prior above 0; rounding may still leave less than nothing.
    logs = np.log(np.maximum(others, 1e-12)) - np.log(totals[own] - n_own)[row]
    return np.asarray(np.bincount(row, counts.data * logs, counts.shape[0]), dtype=np.float64)
