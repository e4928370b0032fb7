"""The parts of a mixed cluster: what they start from, and which cell their molecules give to which."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from sthelar_build.core.profiles import cluster_log_likelihoods

Codes = NDArray[np.intp]
_ROUNDS = 10


def seeds_of_votes(named: NDArray[np.integer], min_purity: float, min_cells: int) -> Codes | None:
    """Return the part that each cell of a cluster starts in, 0 for the commonest class; None if it is not mixed."""
    votes = np.bincount(named[named >= 0])
    if not votes.size or votes.max() >= min_purity * votes.sum():
        return None
    ranked = np.argsort(-votes, kind="stable")
    heard = ranked[votes[ranked] >= min_cells]
    if len(heard) < 2:
        return None
    part_of = np.zeros(len(votes) + 1, dtype=np.intp)
    part_of[heard] = np.arange(len(heard))
    return np.asarray(part_of[named])


def seeds_of_rivals(
    shown: NDArray[np.floating], rivals: tuple[int, int], min_cells: int
) -> Codes | None:
    """Return 1 for the cells that show more markers of the second class than of the first; None if they are few."""
    seeds = (shown[:, rivals[1]] > shown[:, rivals[0]]).astype(np.intp)
    return seeds if min(seeds.sum(), len(seeds) - seeds.sum()) >= min_cells else None


def parts_by_molecules(counts: sp.csr_matrix, seeds: Codes, molecule_weight: float) -> Codes:
    """Return the part of every cell whose profile explains its molecules best, again and again."""
    part, n_parts = seeds, int(seeds.max()) + 1
    everyone = np.ones(len(part), dtype=bool)
    for _ in range(_ROUNDS):
        sizes = np.bincount(part, minlength=n_parts)
        likely = cluster_log_likelihoods(counts, part, n_parts, everyone)
        joint = molecule_weight * likely + np.log(np.maximum(sizes, 0.5) / len(part))
        joint[:, sizes == 0] = -np.inf
        better = joint.argmax(axis=1)
        if np.array_equal(better, part):
            break
        part = better
    return part
