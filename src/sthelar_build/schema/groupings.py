"""The ways in which patch datasets may group the cell classes: detailed, grouped, cancer_normal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sthelar_build.schema.labels import CLASSES, OTHER, PATCH_CLASSES
from sthelar_build.schema.package_tables import package_rows

Basis = Literal["final_label", "label3"]


@dataclass(frozen=True)
class GroupClass:
    """One class of a grouping; ``index`` is its value in type maps (0 is background)."""

    index: int
    name: str
    colour: tuple[int, int, int]


@dataclass(frozen=True)
class Grouping:
    """The classes of a patch dataset, and what decides which of them a nucleus has."""

    name: str
    basis: Basis
    """The column of ``labels.parquet`` that decides."""
    classes: tuple[GroupClass, ...]
    """By index, from 1 without a gap."""
    class_of_word: dict[str, str]
    """Word in that column -> name of the class; all other words, and null, are Other."""

    @property
    def names(self) -> list[str]:
        """Names of the classes, by index."""
        return [one.name for one in self.classes]

    @property
    def other(self) -> int:
        """Index of the class Other."""
        return self.index_of(None)

    def index_of(self, word: str | None) -> int:
        """Return the index of the class that a nucleus of this word has; null is Other."""
        return self.names.index(self.class_of_word.get(word or "", OTHER)) + 1


def _classes(grouping: str) -> tuple[GroupClass, ...]:
    return tuple(
        GroupClass(
            index=int(row["index"]),
            name=row["name"],
            colour=(int(row["red"]), int(row["green"]), int(row["blue"])),
        )
        for row in package_rows("groupings.csv")
        if row["grouping"] == grouping
    )


_DETAILED = Grouping(
    "detailed",
    "final_label",
    tuple(GroupClass(c.index, c.name, c.colour) for c in PATCH_CLASSES),
    {c.name: c.patch_class for c in CLASSES},
)
_GROUPED = Grouping(
    "grouped", "final_label", _classes("grouped"), {c.name: c.grouped for c in CLASSES}
)
_CANCER_NORMAL = Grouping(
    "cancer_normal",
    "label3",
    _classes("cancer_normal"),
    {"cancer_cell": "cancer_cell", "normal_cell": "normal_cell", "less10": OTHER},
)

GROUPINGS: dict[str, Grouping] = {g.name: g for g in (_DETAILED, _GROUPED, _CANCER_NORMAL)}
"""By the name in the configuration. In ``cancer_normal`` cells without an answer (null, less10) are Other."""
