"""How much the markers of each type are raised in each cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
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
        return self._by_class

    @cached_property
    def _by_class(self) -> tuple[list[str], NDArray[np.float64]]:
        names = sorted({kind.class_name for kind in self.types})
        own = np.array([kind.class_name for kind in self.types], dtype=object)
        best = [self.scores[:, own == name].max(axis=1) for name in names]
        return names, np.stack(best, axis=1) if best else np.zeros((len(self.scores), 0))

    def two_highest(self, min_score: float) -> list[tuple[str, str] | None]:
        """Return the two classes that score highest in every cluster; None where one is below ``min_score``."""
        names, scores = self.by_class()
        if len(names) < 2:
            return [None] * len(scores)
        ranked = np.argsort(-scores, axis=1, kind="stable")[:, :2]
        return [
            (names[first], names[second]) if row[second] >= min_score else None
            for (first, second), row in zip(ranked.tolist(), scores, strict=True)
        ]

    def best_type(self, cluster: int, class_name: str) -> str | None:
        """Return the type of a class that scores highest in a cluster; None if none is scored."""
        inside = [n for n, kind in enumerate(self.types) if kind.class_name == class_name]
        if not inside:
            return None
        return self.types[max(inside, key=lambda n: self.scores[cluster, n])].label


def gene_rises(
    counts: NDArray[np.float64], base: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return how far every gene is raised in every cluster, in log2 steps from 0 to 5.

    Parameters
    ----------
    counts
        (clusters, genes) summed raw counts.
    base
        Base level of every gene, from other clusters; None takes that of these (:func:`base_levels`).

    Notes
    -----
    A gene's share of the cluster's counts is compared with its base level. A tenth of the share that a gene has on
    average is added on both sides; it keeps single molecules from counting. Shares do not depend on depth, nor rises
    on the size of the panel.
    """
    if not counts.size:
        return np.zeros(counts.shape)
    level = base_levels(counts) if base is None else base
    pseudo = _PSEUDO_SHARE / counts.shape[1]
    return np.asarray(np.clip(np.log2((_shares(counts) + pseudo) / (level + pseudo)), 0, _HIGHEST))


def base_levels(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the base level of every gene: the 20 % quantile of its shares of the clusters' counts.

    So a type may fill most clusters and still stand out. Without clusters it is 0.
    """
    if not len(counts):
        return np.zeros(counts.shape[1])
    return np.asarray(np.quantile(_shares(counts), _BASE_QUANTILE, axis=0, method="lower"))


def _shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.zeros(counts.shape)
    np.divide(counts, totals, out=shares, where=totals > 0)
    return shares


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


def shown_markers(
    counts: sp.csr_matrix,
    base: NDArray[np.float64],
    genes: Sequence[str],
    types: Sequence[MarkerType],
    classes: Sequence[str],
) -> NDArray[np.float32]:
    """Return how many markers of every class each cell shows, in units of what a cell at base level shows.

    Parameters
    ----------
    counts
        (cells, genes) raw counts.
    base
        Base level of every gene (:func:`base_levels`).
    genes, types, classes
        Of the columns; of the slide; of the columns that are returned.

    Returns
    -------
    (cells, classes) float32. Every marker of a class counts once, divided by the number of classes that it marks. It
    compares classes within a cell: the depth of the cell is still in it.
    """
    marked = np.zeros((len(genes), len(classes)))
    column = {gene.upper(): number for number, gene in enumerate(genes)}
    for kind in types:
        on_panel = [column[gene.upper()] for gene in kind.genes if gene.upper() in column]
        marked[on_panel, classes.index(kind.class_name)] = 1
    marked /= np.maximum(marked.sum(axis=1, keepdims=True), 1)
    usual = (base + _PSEUDO_SHARE / max(len(genes), 1)) @ marked
    weights = np.divide(marked, usual, out=np.zeros_like(marked), where=usual > 0)
    return np.asarray(counts @ weights.astype(np.float32), dtype=np.float32)


def _mean_of_stronger_half(
    rises: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    half = max(_FEWEST_MARKERS, -(-rises.shape[1] // 2))
    strongest = np.argsort(-rises * weights, axis=1, kind="stable")[:, :half]
    taken = np.take_along_axis(rises, strongest, axis=1)
    weight = weights[strongest]
    return np.asarray((taken * weight).sum(axis=1) / (weight.sum(axis=1) + _SHRINK))
