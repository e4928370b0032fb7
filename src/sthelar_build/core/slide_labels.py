"""All that speaks for the types of the cells of a slide, and the labels that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.cluster_calling import ClusterCaller, divided
from sthelar_build.core.clusters import ClusteredCells, Clustering
from sthelar_build.core.label_tables import describe_clusters, label_cells
from sthelar_build.core.markers import MarkerScores
from sthelar_build.core.normalise import log_normalised_columns, row_sums
from sthelar_build.core.opinions import Floats, combined_opinion, nuclear_opinions
from sthelar_build.core.purity import Near, neighbour_purity, purity
from sthelar_build.core.ranking import rank_genes
from sthelar_build.core.refinement import (
    CellCalls,
    ClusterCall,
    call_cells,
    class_shares,
)
from sthelar_build.core.scores import Scores, strongest
from sthelar_build.core.splitting import SplitRule
from sthelar_build.core.voting import Thresholds, types_on_slide
from sthelar_build.schema.labels import CLASS_NAMES
from sthelar_build.schema.vocabulary import FineLabel
from sthelar_build.schema.words import NEITHER

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
    near: Near
    """Nearest neighbours of the clustered cells by expression."""
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
    min_cluster_purity: float
    min_split_cells: int

    @property
    def split(self) -> SplitRule:
        """When a cluster is taken apart."""
        return SplitRule(self.min_cluster_purity, self.min_split_cells, self.molecule_weight)


@dataclass(frozen=True)
class SlideLabels:
    """What was decided, and from which markers."""

    labels: pd.DataFrame
    """The columns of LABELS, one row per cell of the bundle."""
    evidence: pd.DataFrame
    """The columns of EVIDENCE, one row per cluster."""
    markers: MarkerScores
    clustering: Clustering
    """Of the clustered cells, over-merged clusters taken apart."""


def label_slide(case: Case, rule: LabelRule, every_cell: pd.Series) -> SlideLabels:
    """Take over-merged clusters apart, decide what they are, and let the cells speak that contradict theirs.

    ``every_cell`` holds the ids of all cells of the bundle, in its order.
    """
    thresholds = Thresholds(rule.min_marker_score, rule.min_marker_margin, rule.min_tangram_share)
    types = types_on_slide(case.tissue, case.condition)
    calls_of = ClusterCaller(case.cells, case.cell_scores, case.entries, types, thresholds)
    heard = opinions(case)
    cells, parents = divided(calls_of, strongest(heard[0]), rule.split)
    clustering = cells.clustering
    calls = calls_of(clustering.clusters, len(clustering.names))
    cell_calls = call_cells(
        cells.counts,
        clustering.clusters,
        calls,
        heard,
        rule.molecule_weight,
        rule.cell_log_odds,
    )
    enough = row_sums(cells.counts) >= rule.min_transcripts
    labels = label_cells(every_cell, clustering, calls, cell_calls, enough, case.condition)
    evidence = describe_clusters(clustering, calls, top_genes(cells), case.condition)
    evidence = with_purity(evidence, parents, clustering.clusters, cell_calls, calls, case.near)
    markers = calls_of.markers(clustering.clusters, len(calls))
    return SlideLabels(labels, evidence, markers, clustering)


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


def with_purity(
    evidence: pd.DataFrame,
    parents: list[str | None],
    clusters: NDArray[np.intp],
    cells: CellCalls,
    calls: list[ClusterCall],
    near: Near,
) -> pd.DataFrame:
    """Return the evidence with where every cluster comes from, and how pure it is."""
    numbers = np.array([CLASS_NAMES.index(call.entry.class_name) for call in calls], dtype=np.intp)
    own = purity(cells.named, numbers[clusters], clusters, len(calls))
    own[[call.decided_by == NEITHER for call in calls]] = np.nan
    around = neighbour_purity(cells.classes, near, clusters, len(calls))
    return evidence.assign(
        parent=pd.Series(parents, index=evidence.index, dtype=object),
        purity=own.astype(np.float32),
        neighbour_purity=around.astype(np.float32),
    )


def top_genes(cells: ClusteredCells) -> list[list[str]]:
    """Return the twelve genes that set every cluster apart, strongest first."""
    names = cells.clustering.names
    logged = log_normalised_columns(cells.counts)
    ranking = rank_genes(logged, cells.clustering.clusters, names, cells.genes, _TOP_GENES)
    return [list(ranking.loc[ranking["group"] == name, "names"]) for name in names]
