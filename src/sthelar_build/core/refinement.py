"""From evidence to labels: first every cluster, then the cells that contradict theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from sthelar_build.core.evidence import (
    as_likelihoods,
    contradicted,
    log_shares,
    molecular_evidence,
    pooled,
    probabilities,
    teaching,
)
from sthelar_build.core.markers import MarkerScores
from sthelar_build.core.profiles import ClusterProfiles
from sthelar_build.core.scores import strongest
from sthelar_build.core.voting import Thresholds, Witnesses, decide, entry_of, majority
from sthelar_build.schema.labels import CLASS_NAMES, OTHER
from sthelar_build.schema.vocabulary import FineLabel
from sthelar_build.schema.words import MARKERS, NEITHER

_NUMBER = {name: number for number, name in enumerate(CLASS_NAMES)}

Floats = NDArray[np.float64]
Codes = NDArray[np.integer]


@dataclass(frozen=True)
class ClusterCall:
    """What a cluster is, and what spoke for it."""

    seen: Witnesses
    tangram_label: str | None
    marker_label: str | None
    entry: FineLabel
    decided_by: str
    reason: str


@dataclass(frozen=True)
class CellCalls:
    """What cells are, after their own evidence was heard."""

    cluster: Codes
    """The cluster whose type the cell has: its own, or the likeliest one of its new class."""
    moved: NDArray[np.bool_]
    """Cells that left the class of their cluster."""
    confidence: Floats
    """0 to 1."""
    named: Codes
    """Number of the class that the cell's own evidence names; -1 where no cluster has a class."""
    classes: Codes
    """Number of the class that it has."""


def class_shares(shares: NDArray[np.floating], entries: Sequence[FineLabel]) -> Floats:
    """Sum shares of fine labels over their classes: (objects, labels) -> (objects, classes); NaN stays."""
    members = np.zeros((len(entries), len(CLASS_NAMES)))
    members[np.arange(len(entries)), [_NUMBER[entry.class_name] for entry in entries]] = 1
    return np.asarray(shares.astype(np.float64) @ members)


def shares_in_clusters(shares: Floats, clusters: Codes, n_clusters: int) -> Floats:
    """Return for every row the share of its cluster's rows that each class is strongest in."""
    votes = majority(strongest(shares), clusters, n_clusters, shares.shape[1])
    votes[votes.sum(axis=1) == 0] = np.nan
    return votes[clusters]


def call_clusters(
    fine_shares: NDArray[np.floating],
    labels: Sequence[str],
    entries: Mapping[str, FineLabel],
    clusters: Codes,
    markers: MarkerScores,
    thresholds: Thresholds,
) -> list[ClusterCall]:
    """Decide every cluster from its cells' Tangram shares (cells, labels) and its marker scores."""
    known = [entries[label] for label in labels]
    n_clusters = len(markers.scores)
    by_class = majority(
        strongest(class_shares(fine_shares, known)), clusters, n_clusters, len(CLASS_NAMES)
    )
    by_label = majority(strongest(fine_shares), clusters, n_clusters, len(labels))
    in_class = np.array([_NUMBER[entry.class_name] for entry in known])
    return [
        _call(number, by_class, by_label, in_class, labels, entries, markers, thresholds)
        for number in range(n_clusters)
    ]


def _call(
    number: int,
    by_class: Floats,
    by_label: Floats,
    in_class: Codes,
    labels: Sequence[str],
    entries: Mapping[str, FineLabel],
    markers: MarkerScores,
    thresholds: Thresholds,
) -> ClusterCall:
    seen = _witnesses(number, by_class, markers)
    tangram_label = marker_label = None
    if seen.tangram_class is not None:
        votes = np.where(in_class == _NUMBER[seen.tangram_class], by_label[number], -1)
        tangram_label = labels[int(votes.argmax())]
    if seen.marker_class is not None:
        marker_label = markers.best_type(number, seen.marker_class)
    ruling = decide(seen, thresholds)
    word = marker_label if ruling.decided_by == MARKERS else tangram_label
    entry = entry_of(word, ruling.class_name, entries)
    return ClusterCall(seen, tangram_label, marker_label, entry, ruling.decided_by, ruling.reason)


def _witnesses(number: int, by_class: Floats, markers: MarkerScores) -> Witnesses:
    votes = by_class[number]
    tangram = CLASS_NAMES[int(votes.argmax())] if votes.any() else None
    names, scores = markers.by_class()
    if not names:
        return Witnesses(tangram, float(votes.max()), None, 0.0, 0.0, None)
    ranked = np.argsort(-scores[number], kind="stable")
    best = float(scores[number, ranked[0]])
    following = float(scores[number, ranked[1]]) if len(ranked) > 1 else 0.0
    own = float(scores[number, names.index(tangram)]) if tangram in names else None
    marker = names[ranked[0]] if best > 0 else None
    return Witnesses(tangram, float(votes.max()), marker, best, best - following, own)


def call_cells(
    counts: sp.csr_matrix,
    clusters: Codes,
    calls: Sequence[ClusterCall],
    opinions: Sequence[Floats],
    molecule_weight: float,
    log_odds: float | None,
) -> CellCalls:
    """Let the cells speak that contradict their cluster.

    The evidence of a cell is the sum of the log posterior of its molecules under the profiles of the
    clusters, and of the logs of its opinions (:func:`sthelar_build.core.evidence.pooled`). ``opinions``
    are class shares (cells, classes), heard by how often they err; the first is the cell's own Tangram, and
    the cells whose Tangram names the class of their cluster teach the profile of that cluster. A cell of an
    undecided cluster has no class to contradict and stays.

    The confidence is the mean of two shares of the class given: in the cell's evidence, and among the
    cells of its cluster by their evidence.
    """
    if all(call.decided_by == NEITHER for call in calls):
        nobody = np.zeros(len(clusters))
        other = np.full(len(clusters), _NUMBER[OTHER])
        return CellCalls(clusters, nobody.astype(bool), nobody, np.full_like(other, -1), other)
    class_of = np.array([_NUMBER[call.entry.class_name] for call in calls])
    given = class_of[clusters]
    decided = np.array([call.decided_by != NEITHER for call in calls])
    teachers = teaching(strongest(opinions[0]) == given, clusters, len(calls))
    molecules = molecular_evidence(
        counts,
        ClusterProfiles.of(counts, clusters, len(calls), teachers),
        log_shares(clusters, len(calls)),
        np.where(decided, class_of, -1),
        len(CLASS_NAMES),
        molecule_weight,
    )
    evidence = pooled(
        molecules.log_posteriors,
        [as_likelihoods(shares, given, decided[clusters]) for shares in opinions],
    )
    moved = np.zeros(len(clusters), dtype=bool)
    if log_odds is not None:
        moved = decided[clusters] & contradicted(evidence, given, log_odds)
    named = evidence.argmax(axis=1)
    new_class = np.where(moved, named, given)
    likeliest = molecules.likeliest[np.arange(len(clusters)), new_class]
    donor = np.where(moved, likeliest, clusters)
    confidence = _confidence(evidence, clusters, new_class, decided)
    return CellCalls(donor, moved, confidence, named, new_class)


def _confidence(
    evidence: Floats, clusters: Codes, classes: Codes, decided: NDArray[np.bool_]
) -> Floats:
    own = probabilities(evidence)
    sizes = np.bincount(clusters, minlength=len(decided))[:, None]
    support = np.zeros((len(decided), own.shape[1]))
    np.add.at(support, clusters, own)
    support /= np.maximum(sizes, 1)
    rows = np.arange(len(clusters))
    mean = (own[rows, classes] + support[clusters, classes]) / 2
    return np.where(decided[clusters], mean, 0.0)
