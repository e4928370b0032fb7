"""What people decide on labels: which cells, what they are, who says so and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sthelar_build.core.cluster_keys import ClusterKey
from sthelar_build.schema.frames import Frame
from sthelar_build.schema.vocabulary import FineLabel


@dataclass(frozen=True)
class NamedCluster:
    """A cluster, as its key or, without one, its bare name."""

    key: ClusterKey | str

    @property
    def name(self) -> str:
        """The name of the cluster."""
        return self.key if isinstance(self.key, str) else self.key.name


@dataclass(frozen=True)
class NamedCells:
    """Cells by their ids."""

    cell_ids: Sequence[str]


@dataclass(frozen=True, eq=False)
class Region:
    """The cells whose centroid lies in an area, its border included."""

    area: Any
    """Polygon or multipolygon, x first."""
    frame: Frame
    """What it was drawn on: ``um`` or ``he``."""


@dataclass(frozen=True)
class Decision:
    """One line: which cells, what they are, and who says so."""

    where: str
    """File and line, for messages."""
    line: int
    """Number of the line."""
    words: str
    """The target in words, for the report."""
    target: NamedCluster | NamedCells | Region
    label: FineLabel
    who: str
    when: str
    why: str
    only: NamedCluster | str | None = None
    """Of those cells, only the ones of this cluster or class, as the lines above leave it; None means all."""

    @property
    def reason(self) -> str:
        """The decision in words."""
        return f"curated by {self.who} on {self.when}: {self.why}"

    @property
    def only_words(self) -> str:
        """What its cells are restricted to, in words; empty where they are not."""
        if isinstance(self.only, NamedCluster):
            return f"cluster {self.only.name}"
        return f"class {self.only}" if self.only else ""


def target_of(key: ClusterKey) -> str:
    """Return the words that name a cluster in a table of decisions."""
    return f"cluster:{key}"
