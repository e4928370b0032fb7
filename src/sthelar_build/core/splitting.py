"""Over-merged clusters: found by what their cells say, and taken apart by their molecules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from sthelar_build.core.split_parts import (
    parts_by_molecules,
    seeds_of_rivals,
    seeds_of_votes,
)
from sthelar_build.schema.labels import OTHER

Codes = NDArray[np.intp]


class PartCall(NamedTuple):
    """What a part would be, were it a cluster."""

    class_name: str
    by_markers: bool
    """Its markers name that class, and lead clearly."""
    rivals: tuple[int, int] | None
    """Numbers of the two classes whose markers rise most, where they do not tell them apart."""


Caller = Callable[[Codes, int], Sequence[PartCall]]
"""From the parts of cells, and their number, to the call of every part."""

_MOST_LEVELS = 6
_TURNS = 2
"""Ways to take a cluster apart; one that was is tried anew, part by part."""


@dataclass(frozen=True)
class SplitRule:
    """When a cluster is taken apart; see ``RefineSettings``."""

    min_cluster_purity: float
    min_split_cells: int
    molecule_weight: float


@dataclass(frozen=True)
class Parts:
    """Clusters after splitting."""

    part: Codes
    """Part of every cell; parts of one cluster follow each other, the largest first."""
    parent: Codes
    """Cluster of every part."""

    def names(self, clusters: Sequence[str]) -> list[str]:
        """Return the names of the parts: ``7`` for a whole cluster, else ``7.1``, ``7.2`` and so on."""
        n_parts = np.bincount(self.parent, minlength=len(clusters))
        first = np.searchsorted(self.parent, self.parent)
        return [
            clusters[parent] if n_parts[parent] == 1 else f"{clusters[parent]}.{number}"
            for parent, number in zip(self.parent, np.arange(len(first)) - first + 1, strict=True)
        ]


@dataclass(frozen=True, eq=False)
class SplitEvidence:
    """What tells that a cluster is mixed."""

    counts: sp.csr_matrix
    """(cells, genes) raw counts."""
    named: NDArray[np.integer]
    """Class that every cell itself is named, by Tangram; negative where it is silent."""
    shown: NDArray[np.floating]
    """(cells, classes): how many markers of every class a cell shows, relative to what is usual."""


def split_clusters(
    seen: SplitEvidence, clusters: Codes, n_clusters: int, call: Caller, rule: SplitRule
) -> Parts:
    """Take the clusters apart whose cells disagree, until they are pure, too small, or of one class.

    Parameters
    ----------
    seen
        Of the cells, in their order.
    clusters, n_clusters
        Cluster of every cell, and how many there are.
    call
        Says what parts would be if they were clusters.
    rule
        A cluster is mixed if fewer than ``min_cluster_purity`` of its cells name its commonest class and at least
        ``min_split_cells`` name another one, or if its markers do not tell two classes apart.

    Returns
    -------
    The parts. A mixed cluster is taken apart by a classification EM of multinomial profiles (Celeux & Govaert 1992),
    which starts from what its cells are named, or from which of the two classes' markers they show. So molecules
    gather the cells of a hidden type, and the first guess only says where to look. A part stands alone if it has
    ``min_split_cells`` and its own markers name its class clearly: as Tangram chose it, Tangram is no witness for it.
    The others go back to the largest, and parts of one class become one again: a cluster stays whole unless its parts
    are different things.
    """
    part, parent = clusters.astype(np.intp), np.arange(n_clusters, dtype=np.intp)
    turn = np.zeros(n_clusters, dtype=np.intp)
    for _ in range(_MOST_LEVELS if rule.min_cluster_purity > 0 else 0):
        whole = call(part, len(parent))
        finer, origin = _proposal(seen, part, whole, turn, rule)
        if len(origin) > len(parent):
            finer, origin = _joined(finer, origin, call(finer, len(origin)), rule.min_split_cells)
            finer, origin = _without_losses(finer, origin, call(finer, len(origin)), whole)
        taken_apart = np.bincount(origin, minlength=len(parent))[origin] > 1
        turn = np.where(taken_apart, 0, turn[origin] + 1)
        part, parent = finer, parent[origin]
        if (turn >= _TURNS).all():
            break
    if len(parent) > n_clusters:
        part, parent = _joined(part, parent, call(part, len(parent)), rule.min_split_cells)
    return _in_order(part, parent)


def _proposal(
    seen: SplitEvidence, part: Codes, calls: Sequence[PartCall], turn: Codes, rule: SplitRule
) -> tuple[Codes, Codes]:
    """Return finer parts, and the part that each comes from: first by what cells are named, then by their markers."""
    finer, origin = part.copy(), list(range(len(calls)))
    order = np.argsort(part, kind="stable")
    ends = np.searchsorted(part[order], np.arange(len(calls) + 1))
    for number in np.flatnonzero(turn < _TURNS).tolist():
        rows = order[ends[number] : ends[number + 1]]
        seeds, rivals = None, calls[number].rivals
        if turn[number] == 0:
            seeds = seeds_of_votes(seen.named[rows], rule.min_cluster_purity, rule.min_split_cells)
        elif rivals is not None:
            seeds = seeds_of_rivals(seen.shown[rows], rivals, rule.min_split_cells)
        if seeds is None:
            continue
        found = parts_by_molecules(seen.counts[rows], seeds, rule.molecule_weight)
        finer[rows] = np.where(found > 0, found + len(origin) - 1, number)
        origin += [number] * int(seeds.max())
    return finer, np.array(origin, dtype=np.intp)


def _joined(
    part: Codes, origin: Codes, calls: Sequence[PartCall], min_cells: int
) -> tuple[Codes, Codes]:
    """Join the parts of one origin that do not stand alone, or have one class, and number what is left."""
    sizes = np.bincount(part, minlength=len(origin))
    target = np.arange(len(origin))
    for number in np.flatnonzero(np.bincount(origin) > 1).tolist():
        members = np.flatnonzero(origin == number)
        largest = int(members[np.argmax(sizes[members])])
        first = {calls[largest].class_name: largest}
        for member in members.tolist():
            alone = sizes[member] >= min_cells and calls[member].by_markers
            own = first.setdefault(calls[member].class_name, member) if alone else largest
            target[member] = own
    return _numbered(part, origin, target)


def _without_losses(
    part: Codes, origin: Codes, calls: Sequence[PartCall], whole: Sequence[PartCall]
) -> tuple[Codes, Codes]:
    """Undo the splits that say less than the whole: one part has no class though the whole has, or all have one."""
    target = np.arange(len(origin))
    for number in np.flatnonzero(np.bincount(origin) > 1).tolist():
        members = np.flatnonzero(origin == number).tolist()
        found = {calls[member].class_name for member in members}
        if len(found) == 1 or (OTHER in found and whole[number].class_name != OTHER):
            target[members] = members[0]
    return _numbered(part, origin, target)


def _numbered(part: Codes, origin: Codes, target: NDArray[np.integer]) -> tuple[Codes, Codes]:
    kept, numbers = np.unique(target, return_inverse=True)
    return numbers[part].astype(np.intp), origin[kept]


def _in_order(part: Codes, parent: Codes) -> Parts:
    sizes = np.bincount(part, minlength=len(parent))
    order = np.lexsort((np.arange(len(parent)), -sizes, parent))
    rank = np.argsort(order)
    return Parts(rank[part], parent[order])
