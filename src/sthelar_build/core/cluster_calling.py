"""What clusters and parts of clusters are, and clusters taken apart where they hold several classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.clusters import ClusteredCells, Clustering
from sthelar_build.core.markers import (
    MarkerScores,
    base_levels,
    gene_rises,
    score_types,
    shown_markers,
)
from sthelar_build.core.normalise import group_sums
from sthelar_build.core.refinement import ClusterCall, call_clusters
from sthelar_build.core.scores import Scores
from sthelar_build.core.splitting import PartCall, SplitEvidence, SplitRule, split_clusters
from sthelar_build.core.voting import Thresholds
from sthelar_build.schema.labels import CLASS_NAMES
from sthelar_build.schema.markers import MarkerType
from sthelar_build.schema.vocabulary import FineLabel

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class ClusterCaller:
    """Decides what clusters of the slide's cells are; the base levels of genes are those of its own clusters."""

    cells: ClusteredCells
    scores: Scores
    entries: Mapping[str, FineLabel]
    """What the labels of the reference mean."""
    types: Sequence[MarkerType]
    """Types that the slide may hold."""
    thresholds: Thresholds

    def __call__(self, clusters: Codes, n_clusters: int) -> list[ClusterCall]:
        """Return the call of every cluster of a clustering, which may be finer than the slide's."""
        markers = self.markers(clusters, n_clusters)
        shares, labels = self._shares, self.scores.labels
        return call_clusters(shares, labels, self.entries, clusters, markers, self.thresholds)

    def part_calls(self, parts: Codes, n_parts: int) -> list[PartCall]:
        """Return what the parts of clusters would be, and whether their markers alone say so."""
        rivals = self.markers(parts, n_parts).two_highest(self.thresholds.min_marker_score)
        calls = self(parts, n_parts)
        return [self._part_call(call, pair) for call, pair in zip(calls, rivals, strict=True)]

    def markers(self, clusters: Codes, n_clusters: int) -> MarkerScores:
        """Return how far the markers of the types rise in every cluster."""
        rises = gene_rises(group_sums(self.cells.counts, clusters, n_clusters), self._base)
        return score_types(rises, self.cells.genes, self.types)

    def shown(self) -> NDArray[np.float32]:
        """Return how many markers of every class each cell shows (cells, classes)."""
        genes = self.cells.genes
        return shown_markers(self.cells.counts, self._base, genes, self.types, CLASS_NAMES)

    @cached_property
    def _shares(self) -> NDArray[np.float32]:
        return self.scores.of(self.cells.clustering.cell_ids)

    @cached_property
    def _base(self) -> Floats:
        own = self.cells.clustering
        return base_levels(group_sums(self.cells.counts, own.clusters, len(own.names)))

    def _part_call(self, call: ClusterCall, highest: tuple[str, str] | None) -> PartCall:
        seen, rule = call.seen, self.thresholds
        clear = seen.marker_margin >= rule.min_marker_margin
        speak = seen.marker_score >= rule.min_marker_score
        named = clear and speak and seen.marker_class == call.entry.class_name
        rivals = None
        if highest is not None and not clear:
            rivals = CLASS_NAMES.index(highest[0]), CLASS_NAMES.index(highest[1])
        return PartCall(call.entry.class_name, named, rivals)


def divided(
    caller: ClusterCaller, named: Codes, rule: SplitRule
) -> tuple[ClusteredCells, list[str | None]]:
    """Return the cells with their over-merged clusters taken apart, and the cluster that each part comes from.

    ``named`` holds the number of the class that Tangram gives every cell, -1 where it gives none. A cluster that stays
    whole comes from none.
    """
    cells, old = caller.cells, caller.cells.clustering
    seen = SplitEvidence(cells.counts, named, caller.shown())
    parts = split_clusters(seen, old.clusters, len(old.names), caller.part_calls, rule)
    names = parts.names(old.names)
    origins = [old.names[number] for number in parts.parent]
    parents = [
        None if name == origin else origin for name, origin in zip(names, origins, strict=True)
    ]
    finer = Clustering(old.cell_ids, parts.part, names)
    return replace(cells, clustering=finer), parents
