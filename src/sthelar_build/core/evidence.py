"""What a single cell says about its class, beside the cluster that it fell into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

from sthelar_build.core.profiles import ClusterProfiles

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


@dataclass(frozen=True, eq=False)
class MolecularEvidence:
    """What the molecules of cells say of their classes."""

    log_posteriors: Floats
    """(cells, classes)."""
    likeliest: NDArray[np.int32]
    """(cells, classes): the decided cluster of the class that explains the cell best; 0 where there is none."""


def molecular_evidence(
    counts: sp.csr_matrix,
    profiles: ClusterProfiles,
    log_shares: Floats,
    class_of_cluster: NDArray[np.integer],
    n_classes: int,
    molecule_weight: float,
) -> MolecularEvidence:
    """Return what the molecules of every cell say, from the clusters that were decided to be of each class.

    Parameters
    ----------
    counts
        (cells, genes) raw counts.
    profiles
        Of the clusters.
    log_shares
        Log of the share of the cells that every cluster holds: clusters weigh as many (:func:`log_shares`).
    class_of_cluster, n_classes
        Class of every cluster, negative for one that was not decided; how many classes there are.
    molecule_weight
        Tempers the likelihood: molecules of one cell are not independent, as counts vary more than Poisson.

    Notes
    -----
    Classes without a decided cluster, or less likely than exp(-20), get -20. Memory grows with cells times classes,
    not with cells times clusters.
    """
    posteriors = np.full((counts.shape[0], n_classes), -np.inf)
    likeliest = np.zeros((counts.shape[0], n_classes), dtype=np.int32)
    for rows, likely in profiles.log_likelihoods(counts):
        joint = molecule_weight * likely + log_shares
        for number in np.unique(class_of_cluster[class_of_cluster >= 0]):
            members = np.flatnonzero(class_of_cluster == number)
            posteriors[rows, number] = logsumexp(joint[:, members], axis=1)
            likeliest[rows, number] = members[likely[:, members].argmax(axis=1)]
        posteriors[rows] -= logsumexp(posteriors[rows], axis=1, keepdims=True)
    np.maximum(posteriors, _LOWEST, out=posteriors)
    return MolecularEvidence(posteriors, likeliest)


def log_shares(clusters: NDArray[np.integer], n_clusters: int) -> Floats:
    """Return the log of the share of the cells that every cluster holds; an empty one counts as half a cell."""
    sizes = np.bincount(clusters, minlength=n_clusters).astype(np.float64)
    return np.asarray(np.log(np.maximum(sizes, 0.5) / len(clusters)))


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
