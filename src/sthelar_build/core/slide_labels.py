"""All that speaks for the types of the cells of a slide, and the labels that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from sthelar_build.core.clusters import ClusteredCells, Clustering
from sthelar_build.core.label_tables import (
    Curation,
    curate_calls,
    curate_labels,
    describe_clusters,
    label_cells,
)
from sthelar_build.core.markers import MarkerScores, gene_rises, score_types
from sthelar_build.core.normalise import group_sums, row_sums
from sthelar_build.core.opinions import Floats, combined_opinion, nuclear_opinions
from sthelar_build.core.ranking import rank_genes
from sthelar_build.core.refinement import call_cells, call_clusters, class_shares
from sthelar_build.core.scores import Scores
from sthelar_build.core.voting import Thresholds, types_on_slide
from sthelar_build.schema.vocabulary import FineLabel

_TOP_GENES = 12


@dataclass(frozen=True)
class Case:
    """What is known of a slide before its labels are decided."""

    cells: ClusteredCells
    nuclei: Clustering
    """Clusters of the nuclei, by the cell that owns each."""
    nucleus_ids: pd.Index
    """The nuclei, in the order of their clustering."""
    combined: Clustering
    """Clusters of nuclei and cells combined."""
    cell_scores: Scores
    nucleus_scores: Scores
    entries: Mapping[str, FineLabel]
    """What the labels of the reference mean."""
    tissue: str
    condition: str

    def shares(self, scores: Scores, ids: pd.Index) -> Floats:
        """Return the shares of the classes on these objects; NaN for those without any."""
        return class_shares(scores.of(ids), [self.entries[label] for label in scores.labels])


@dataclass(frozen=True)
class LabelRule:
    """How evidence is weighed; see ``RefineSettings``."""

    min_transcripts: int
    min_marker_score: float
    min_marker_margin: float
    min_tangram_share: float
    cell_log_odds: float | None
    molecule_weight: float


@dataclass(frozen=True)
class SlideLabels:
    """What was decided, and from which markers."""

    labels: pd.DataFrame
    """The columns of LABELS, one row per cell of the bundle."""
    evidence: pd.DataFrame
    """The columns of EVIDENCE, one row per cluster."""
    markers: MarkerScores


def label_slide(
    case: Case, rule: LabelRule, every_cell: pd.Series, decisions: Curation
) -> SlideLabels:
    """Decide the clusters, let the cells speak that contradict theirs, and apply human decisions.

    ``every_cell`` holds the ids of all cells of the bundle, in its order.
    """
    cells, clustering = case.cells, case.cells.clustering
    markers = marker_scores(case)
    thresholds = Thresholds(rule.min_marker_score, rule.min_marker_margin, rule.min_tangram_share)
    calls = call_clusters(
        case.cell_scores.of(clustering.cell_ids),
        case.cell_scores.labels,
        case.entries,
        clustering.clusters,
        markers,
        thresholds,
    )
    cell_calls = call_cells(
        cells.counts,
        clustering.clusters,
        calls,
        opinions(case),
        rule.molecule_weight,
        rule.cell_log_odds,
    )
    enough = row_sums(cells.counts) >= rule.min_transcripts
    labels = label_cells(every_cell, clustering, calls, cell_calls, enough, case.condition)
    calls = curate_calls(clustering.names, calls, decisions)
    return SlideLabels(
        curate_labels(labels, decisions, case.condition),
        describe_clusters(clustering, calls, top_genes(cells), case.condition),
        markers,
    )


def opinions(case: Case) -> list[Floats]:
    """Return what speaks for the class of every clustered cell, its own Tangram first."""
    cell_ids = case.cells.clustering.cell_ids
    own = case.shares(case.cell_scores, cell_ids)
    of_nuclei = case.shares(case.nucleus_scores, case.nucleus_ids)
    return [
        own,
        *nuclear_opinions(cell_ids, case.nuclei, of_nuclei),
        combined_opinion(cell_ids, case.combined, own),
    ]


def marker_scores(case: Case) -> MarkerScores:
    """Return how far the markers of the types that the slide may hold rise in every cluster."""
    clustering = case.cells.clustering
    sums = group_sums(case.cells.counts, clustering.clusters, len(clustering.names))
    types = types_on_slide(case.tissue, case.condition)
    return score_types(gene_rises(sums), case.cells.genes, types)


def top_genes(cells: ClusteredCells) -> list[list[str]]:
    """Return the twelve genes that set every cluster apart, strongest first."""
    names = cells.clustering.names
    ranking = rank_genes(cells.logged, cells.clustering.clusters, names, cells.genes, _TOP_GENES)
    return [list(ranking.loc[ranking["group"] == name, "names"]) for name in names]
