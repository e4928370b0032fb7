"""What a single cell says about its class, beside the cluster that it fell into."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

from sthelar_build.core.normalise import group_sums, row_blocks

_PRIOR_PER_GENE = 0.3
_FEWEST_TEACHERS = 0.2
_FLOOR = 0.02
_LOWEST = -20.0
_PRIOR_CELLS = 20.0

Floats = NDArray[np.float64]


def teaching(
    agreeing: NDArray[np.bool_], clusters: NDArray[np.integer], n_clusters: int
) -> NDArray[np.bool_]:
    """Return the cells that teach the profile of their cluster.

    They are those that agree with its class; all of it where fewer than a fifth do, as where Tangram was overruled.
    """
    share = np.bincount(clusters, agreeing, n_clusters) / np.maximum(
        np.bincount(clusters, minlength=n_clusters), 1
    )
    return np.asarray(agreeing | (share < _FEWEST_TEACHERS)[clusters])


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
        Number of clusters.
    teachers
        The cells that profiles are made of; a cluster without any takes the profile of all.

    Returns
    -------
    (cells, clusters): multinomial log likelihood, up to a constant per cell. Profiles are smoothed with
    molecules of the whole slide's profile, 0.3 for every gene, so no gene rules a cluster out. A cell that teaches is left out of its
    own cluster's profile, where its molecules would speak for themselves: the fewer molecules a gene has, the louder.
    """
    taught = np.where(teachers, clusters, -1)
    sums = group_sums(counts, taught, n_clusters)
    whole = sums.sum(axis=0) + 1e-9
    profiles = sums + _PRIOR_PER_GENE * counts.shape[1] * whole / whole.sum()
    totals = profiles.sum(axis=1)
    logs = (np.log(profiles) - np.log(totals)[:, None]).T
    likely = np.empty((counts.shape[0], n_clusters))
    for rows in row_blocks(counts.shape[0]):
        block = counts[rows]
        likely[rows] = block @ logs
        inside = np.flatnonzero(taught[rows] >= 0)
        own = taught[rows][inside]
        likely[rows][inside, own] = _left_out(block[inside], profiles, totals, own)
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


def class_log_posteriors(
    log_likelihoods: Floats,
    clusters: NDArray[np.integer],
    class_of_cluster: NDArray[np.integer],
    n_classes: int,
    molecule_weight: float,
) -> Floats:
    """Return the log posterior of every class, from the clusters that were decided to be of it.

    Clusters weigh as many cells as they hold. ``molecule_weight`` tempers the likelihood: molecules of one
    cell are not independent, as counts vary more than Poisson. Classes without a cluster, or less likely
    than exp(-20), get -20.
    """
    sizes = np.bincount(clusters, minlength=len(class_of_cluster)).astype(np.float64)
    log_shares = np.log(np.maximum(sizes, 0.5) / len(clusters))
    classes = np.full((len(log_likelihoods), n_classes), -np.inf)
    for rows in row_blocks(len(classes)):
        joint = molecule_weight * log_likelihoods[rows] + log_shares
        for number in np.unique(class_of_cluster):
            classes[rows, number] = logsumexp(joint[:, class_of_cluster == number], axis=1)
        classes[rows] -= logsumexp(classes[rows], axis=1, keepdims=True)
    np.maximum(classes, _LOWEST, out=classes)
    return classes


def pooled(log_posteriors: Floats, opinions: Sequence[Floats]) -> Floats:
    """Return the sum of log evidence per class, shape (cells, classes), up to a constant per cell.

    Every opinion holds shares per class; a row of NaN has no opinion. A share counts as at least 2 %: no
    single witness can veto a class.
    """
    total = log_posteriors.copy()
    for shares in opinions:
        silent = np.isnan(shares).any(axis=1)
        total[~silent] += np.log(np.maximum(shares[~silent], _FLOOR))
    return total


def as_likelihoods(
    shares: Floats, classes: NDArray[np.integer], decided: NDArray[np.bool_]
) -> Floats:
    """Return how likely an opinion is for a cell of each class, by how often it errs (Dawid & Skene 1979).

    Parameters
    ----------
    shares
        (cells, classes) of one opinion; a row of NaN has none.
    classes
        Class of the cluster of every cell.
    decided
        Cells whose cluster has a class: they show what the opinion says of each class. Twenty more cells of every
        class are taken to be named rightly.

    Returns
    -------
    (cells, classes); NaN stays. An opinion that is never wrong keeps its shares. Where an atlas lacks a class and its
    cells are always taken for another, that other word speaks for both.
    """
    n_classes = shares.shape[1]
    heard = decided & ~np.isnan(shares).any(axis=1)
    said = np.eye(n_classes) * _PRIOR_CELLS
    for number in np.unique(classes[heard]):
        said[number] += shares[heard & (classes == number)].sum(axis=0)
    return np.asarray(shares @ (said / said.sum(axis=1, keepdims=True)).T)


def contradicted(
    evidence: Floats, classes: NDArray[np.integer], log_odds: float
) -> NDArray[np.bool_]:
    """Return which cells' evidence favours another class than theirs by more than ``log_odds``."""
    own = np.take_along_axis(evidence, classes[:, None], axis=1)[:, 0]
    return np.asarray(evidence.max(axis=1) - own > log_odds)


def probabilities(evidence: Floats) -> Floats:
    """Return the evidence as probabilities over the classes; rows sum to 1."""
    return np.asarray(softmax(evidence, axis=1))
