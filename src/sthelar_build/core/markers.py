"""How much the markers of each type are raised in each cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sthelar_build.schema.markers import MarkerType

_BASE_QUANTILE = 0.2
_PSEUDO_SHARE = 0.1
_HIGHEST = 5.0
_FEWEST_MARKERS = 3
_SHRINK = 1.0


@dataclass(frozen=True)
class MarkerScores:
    """Scores of the types that a panel can tell."""

    types: list[MarkerType]
    """Types with at least three markers on the panel."""
    scores: NDArray[np.float64]
    """(clusters, types): mean log2 rise of the stronger half of the markers; 0 is no rise."""
    unscorable: list[str]
    """Classes without a type that could be scored."""

    def by_class(self) -> tuple[list[str], NDArray[np.float64]]:
        """Return the classes and, per cluster, the score of the best type of each."""
        names = sorted({kind.class_name for kind in self.types})
        own = np.array([kind.class_name for kind in self.types], dtype=object)
        best = [self.scores[:, own == name].max(axis=1) for name in names]
        return names, np.stack(best, axis=1) if best else np.zeros((len(self.scores), 0))

    def best_type(self, cluster: int, class_name: str) -> str | None:
        """Return the type of a class that scores highest in a cluster; None if none is scored."""
        inside = [n for n, kind in enumerate(self.types) if kind.class_name == class_name]
        if not inside:
            return None
        return self.types[max(inside, key=lambda n: self.scores[cluster, n])].label


def gene_rises(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far every gene is raised in every cluster, in log2 steps from 0 to 5.

    Parameters
    ----------
    counts
        (clusters, genes) summed raw counts.

    Notes
    -----
    A gene's share of the cluster's counts is compared with its base level: the 20 % quantile of the
    shares over all clusters, so that a type may fill most clusters and still stand out. A tenth of the
    share that a gene has on average is added on both sides; it keeps single molecules from counting.
    Shares do not depend on depth, nor rises on the size of the panel.
    """
    if not counts.size:
        return np.zeros(counts.shape)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(
        counts, totals, out=np.zeros_like(counts, dtype=np.float64), where=totals > 0
    )
    base = np.quantile(shares, _BASE_QUANTILE, axis=0, method="lower")
    pseudo = _PSEUDO_SHARE / counts.shape[1]
    return np.asarray(np.clip(np.log2((shares + pseudo) / (base + pseudo)), 0, _HIGHEST))


def score_types(
    rises: NDArray[np.float64], genes: Sequence[str], types: Sequence[MarkerType]
) -> MarkerScores:
    """Score types by the rises of their markers that are on the panel.

    A gene that marks n classes has the weight 1/n. A type's score is the weighted mean over the half
    of its markers (at least three) that rises most: no cell shows all markers of its type. It is shrunk
    as if one more marker did not rise, so that short lists do not win by luck.
    """
    column = {gene.upper(): number for number, gene in enumerate(genes)}
    on_panel = {kind: [g for g in kind.genes if g.upper() in column] for kind in types}
    scored = [kind for kind in types if len(on_panel[kind]) >= _FEWEST_MARKERS]
    owners = Counter(gene for gene, _ in {(g, k.class_name) for k in types for g in k.genes})
    scores = np.zeros((len(rises), len(scored)))
    for number, kind in enumerate(scored):
        columns = [column[gene.upper()] for gene in on_panel[kind]]
        weights = np.array([1 / owners[gene] for gene in on_panel[kind]])
        scores[:, number] = _mean_of_stronger_half(rises[:, columns], weights)
    missing = {kind.class_name for kind in types} - {kind.class_name for kind in scored}
    return MarkerScores(scored, scores, sorted(missing))


def _mean_of_stronger_half(
    rises: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    half = max(_FEWEST_MARKERS, -(-rises.shape[1] // 2))
    strongest = np.argsort(-rises * weights, axis=1, kind="stable")[:, :half]
    taken = np.take_along_axis(rises, strongest, axis=1)
    weight = weights[strongest]
    return np.asarray((taken * weight).sum(axis=1) / (weight.sum(axis=1) + _SHRINK))
