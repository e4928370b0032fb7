"""Which cells a decision is on; a cluster that is no longer the one somebody looked at stops the run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from sthelar_build.core.cluster_keys import Comparison, HashedClusters
from sthelar_build.core.decisions import Decision, NamedCells, NamedCluster, Region, target_of
from sthelar_build.errors import ConfigError
from sthelar_build.schema.frames import Frame, PointMap

Rows = NDArray[np.bool_]
_SHOWN_IDS = 5


@dataclass(frozen=True, eq=False)
class Places:
    """Where the cells of the labels lie, in their order."""

    points_um: NDArray[np.float64]
    """(cells, 2) centroids, x first."""
    um_to_he: PointMap | None
    """To level-0 pixels of the H&E; None where no region needs it."""


class TargetFinder:
    """Finds the cells of a decision among the labels, which change beneath it."""

    def __init__(self, labels: pd.DataFrame, clusters: HashedClusters, places: Places) -> None:
        self._labels = labels
        self._clusters = clusters
        self._places = places
        self.notes: list[str] = []

    def rows(self, decision: Decision) -> Rows:
        """Return which cells the decision is on, by the labels as they are now; ConfigError as in ``curate``."""
        rows = self._target(decision.where, decision.target)
        if isinstance(decision.only, NamedCluster):
            rows &= self._cluster(decision.where, decision.only)
        elif decision.only is not None:
            rows &= (self._labels["final_label"] == decision.only).to_numpy()
        return rows

    def _target(self, where: str, target: NamedCluster | NamedCells | Region) -> Rows:
        if isinstance(target, NamedCluster):
            return self._cluster(where, target)
        return (
            self._cells(where, target)
            if isinstance(target, NamedCells)
            else self._inside(where, target)
        )

    def _cells(self, where: str, target: NamedCells) -> Rows:
        found = pd.Index(self._labels["cell_id"]).get_indexer(list(target.cell_ids))
        unknown = [cell_id for cell_id, row in zip(target.cell_ids, found, strict=True) if row < 0]
        if unknown:
            shown = ", ".join(unknown[:_SHOWN_IDS]) + (", ..." if len(unknown) > _SHOWN_IDS else "")
            raise ConfigError(
                f"{where}: expected cells of this slide, found {len(unknown)} of {len(found)} that it does not have: "
                f"{shown}; correct the ids, or the slide that they were exported from"
            )
        rows = np.zeros(len(self._labels), dtype=bool)
        rows[found] = True
        return rows

    def _inside(self, where: str, region: Region) -> Rows:
        points = self._places.points_um
        if region.frame == Frame.HE:
            if self._places.um_to_he is None:
                raise ConfigError(
                    f"{where}: expected the transform of the slide for a region drawn on the H&E, found none; "
                    "give --transform"
                )
            points = self._places.um_to_he.apply(points)
        shapely.prepare(region.area)
        rows = np.asarray(shapely.intersects_xy(region.area, points[:, 0], points[:, 1]))
        if not rows.any():
            raise ConfigError(
                f"{where}: expected a region with cells, found none in {_extent(region)}; the cells lie in "
                f"{_bounds(points)}: was it drawn on this slide, and at full resolution?"
            )
        return rows

    def _cluster(self, where: str, target: NamedCluster) -> Rows:
        if isinstance(target.key, str):
            raise ConfigError(_without_key(where, target.key, self._clusters))
        found = self._clusters.compare(target.key)
        if not found.same:
            raise ConfigError(_stale(where, found, self._clusters))
        if not found.unchanged and found.new is not None:
            self.notes.append(
                f"{where}: cluster {target.key.name} has changed a little since it was looked at: {target.key.size} "
                f"cells then, {found.new.size} now"
            )
        return np.asarray((self._labels["cluster"] == target.key.name).to_numpy(), dtype=bool)


def _without_key(where: str, name: str, clusters: HashedClusters) -> str:
    known = clusters.key(name)
    if known is None:
        return (
            f"{where}: expected a cluster of this slide ({', '.join(clusters.names) or 'it has none'}), found {name!r}; "
            "copy its key from the report"
        )
    return (
        f"{where}: expected the key of cluster {name}, found its number alone, which another run may give to other "
        f"cells; if you mean the {known.size} cells that it holds now, write {target_of(known)}"
    )


def _stale(where: str, found: Comparison, clusters: HashedClusters) -> str:
    old, sampled = found.old, len(found.old.sample)
    now = "is gone" if found.new is None else f"now holds {found.new.size} other cells"
    if found.new is not None and found.shared:
        now = f"now holds {found.new.size} cells, of which it shares about {found.shared / found.sampled:.0%} with then"
    name, most = next(iter(found.now_in.items()))
    home = "in no cluster" if name is None else f"in cluster {name}"
    likely = clusters.key(name) if name is not None else None
    follow = f" (for that one write {target_of(likely)})" if likely else ""
    return (
        f"{where}: expected cluster {old.name} as it was ({old.size} cells), but it {now}; about {most / sampled:.0%} of "
        f"the old one are {home} now{follow}; with # before the line the run "
        "goes on without it; then look at the report, and name the cluster that you mean by its new key"
    )


def _extent(region: Region) -> str:
    left, top, right, bottom = region.area.bounds
    unit = "px of the H&E" if region.frame == Frame.HE else "um"
    return f"x {left:.0f} to {right:.0f}, y {top:.0f} to {bottom:.0f} {unit}"


def _bounds(points: NDArray[np.float64]) -> str:
    if not len(points):
        return "no place: there are none"
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return f"x {left:.0f} to {right:.0f}, y {top:.0f} to {bottom:.0f}"
