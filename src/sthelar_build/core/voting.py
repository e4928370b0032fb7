"""What a cluster is, from two witnesses: Tangram's majority and the markers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sthelar_build.schema.labels import OTHER
from sthelar_build.schema.markers import MarkerType, types_of_tissue
from sthelar_build.schema.vocabulary import FineLabel, find, key
from sthelar_build.schema.words import AGREEMENT, MARKERS, NEITHER, TANGRAM

_GLIOBLASTOMA_TYPE = "Glioblastoma_tumor_cell_astrocyte_derived"
_OPC = frozenset(
    key(label) for label in ("OPC", "oligodendrocyte progenitor", "oligodendrocyte precursor")
)
UNKNOWN = FineLabel("Unknown", "Unknown", OTHER)
"""What a cell is that nothing speaks for."""


@dataclass(frozen=True)
class Witnesses:
    """What Tangram and the markers say of one cluster; None where a witness is silent."""

    tangram_class: str | None
    tangram_share: float
    """Share of the cluster's cells that Tangram puts in that class."""
    marker_class: str | None
    marker_score: float
    """Score of the class whose markers rise most, in log2 steps."""
    marker_margin: float
    """Its lead over the next class."""
    tangram_marker_score: float | None
    """Marker score of Tangram's class; None if the panel cannot score it."""


@dataclass(frozen=True)
class Thresholds:
    """When a witness counts; see ``RefineSettings``."""

    min_marker_score: float
    min_marker_margin: float
    min_tangram_share: float


@dataclass(frozen=True)
class Ruling:
    """The class of a cluster, who decided it, and why."""

    class_name: str
    decided_by: str
    reason: str


def decide(seen: Witnesses, thresholds: Thresholds) -> Ruling:
    """Decide the class of a cluster.

    Both witnesses name one class: agreement. They differ: the markers win if they rise by
    ``min_marker_score`` and lead by ``min_marker_margin``. Markers that do not tell two classes apart
    (the lead is smaller) do not contradict Tangram if its class is one of the two. A class whose markers
    are not on the panel rests on Tangram alone. In the last two cases Tangram must have
    ``min_tangram_share`` of the cells. Otherwise nobody speaks for the cluster, and it is Other.
    """
    tangram, markers = seen.tangram_class, seen.marker_class
    speaks = seen.marker_score >= thresholds.min_marker_score
    majority = tangram is not None and seen.tangram_share >= thresholds.min_tangram_share
    if tangram == OTHER:
        majority = False
    if tangram is not None and tangram == markers and speaks:
        return Ruling(tangram, AGREEMENT, "Tangram's majority and the markers name the same class")
    if markers is not None and speaks and seen.marker_margin >= thresholds.min_marker_margin:
        return Ruling(markers, MARKERS, f"markers contradict Tangram's {tangram}, and lead clearly")
    if tangram is not None and majority and seen.tangram_marker_score is None:
        return Ruling(tangram, TANGRAM, "the panel has no markers of Tangram's class")
    if tangram is not None and majority and _not_contradicted(seen, thresholds):
        return Ruling(tangram, AGREEMENT, f"markers do not tell {tangram} from {markers}")
    return Ruling(OTHER, NEITHER, "neither Tangram nor the markers name a class")


def _not_contradicted(seen: Witnesses, thresholds: Thresholds) -> bool:
    score = seen.tangram_marker_score or 0.0
    behind = seen.marker_score - score
    return score >= thresholds.min_marker_score and behind < thresholds.min_marker_margin


def majority(
    classes: NDArray[np.integer], clusters: NDArray[np.integer], n_clusters: int, n_classes: int
) -> NDArray[np.float64]:
    """Return the share of every class in every cluster, shape (clusters, classes).

    Rows with a negative class or cluster do not count; a cluster without any has only zeros.
    """
    valid = (classes >= 0) & (clusters >= 0)
    cells = clusters[valid] * n_classes + classes[valid]
    counts = np.bincount(cells, minlength=n_clusters * n_classes).reshape(n_clusters, n_classes)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.zeros(counts.shape)
    np.divide(counts, totals, out=shares, where=totals > 0)
    return shares


def of_brain_tumour(tissue: str, condition: str) -> bool:
    """Return whether astrocytes of the slide are read as the tumour's: glioblastoma is made of them."""
    return condition == "cancer" and "brain" in tissue.casefold()


def as_tumour(entry: FineLabel) -> FineLabel:
    """Return an astrocytic or OPC-like type as the class Glioblastoma, and others as they are."""
    astrocytic = entry.label1 == "Astrocyte" or key(entry.label) in _OPC
    return FineLabel(entry.label, _GLIOBLASTOMA_TYPE, "Glioblastoma") if astrocytic else entry


def types_on_slide(tissue: str, condition: str) -> list[MarkerType]:
    """Return the types whose markers are looked for.

    Glioblastoma is one only in a brain tumour, and there it takes the place of astrocytes.
    """
    tumour = of_brain_tumour(tissue, condition)
    left_out = "Astrocyte" if tumour else "Glioblastoma"
    return [kind for kind in types_of_tissue(tissue) if kind.label != left_out]


def entry_of(label: str | None, class_name: str, known: Mapping[str, FineLabel]) -> FineLabel:
    """Return the entry of a fine label within a class, or of the class itself if there is none."""
    entry = known.get(label or "") or (find(label) if label else None)
    if entry is not None and entry.class_name == class_name:
        return entry
    return UNKNOWN if class_name == OTHER else FineLabel(class_name, class_name, class_name)
