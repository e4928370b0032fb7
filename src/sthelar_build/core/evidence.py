"""What a single cell says about its class, beside the cluster that it fell into."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

from sthelar_build.core.normalise import group_sums

_PRIOR_COUNTS = 20.0
_FLOOR = 0.02
_LOWEST = -20.0

Floats = NDArray[np.float64]


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
    20 molecules of the whole slide's profile, so no gene rules a cluster out.
    """
    sums = group_sums(counts, np.where(teachers, clusters, -1), n_clusters)
    whole = sums.sum(axis=0) + 1e-9
    profiles = sums + _PRIOR_COUNTS * whole / whole.sum()
    logs = np.log(profiles / profiles.sum(axis=1, keepdims=True))
    return np.asarray(counts @ logs.T)


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
    joint = molecule_weight * log_likelihoods + np.log(np.maximum(sizes, 0.5) / len(clusters))
    classes = np.full((len(joint), n_classes), -np.inf)
    for number in np.unique(class_of_cluster):
        classes[:, number] = logsumexp(joint[:, class_of_cluster == number], axis=1)
    classes -= logsumexp(classes, axis=1, keepdims=True)
    return np.asarray(np.maximum(classes, _LOWEST))


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


def contradicted(
    evidence: Floats, classes: NDArray[np.integer], log_odds: float
) -> NDArray[np.bool_]:
    """Return which cells' evidence favours another class than theirs by more than ``log_odds``."""
    own = np.take_along_axis(evidence, classes[:, None], axis=1)[:, 0]
    return np.asarray(evidence.max(axis=1) - own > log_odds)


def probabilities(evidence: Floats) -> Floats:
    """Return the evidence as probabilities over the classes; rows sum to 1."""
    return np.asarray(softmax(evidence, axis=1))
