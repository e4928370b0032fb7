"""Genes that are known to mark a type of cell, with their source: one row per type and gene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from sthelar_build.schema.package_tables import package_rows


@dataclass(frozen=True)
class MarkerType:
    """The markers of one fine type."""

    label: str
    """Fine type, as in the vocabulary."""
    class_name: str
    """Its class."""
    genes: tuple[str, ...]
    """Gene symbols."""
    tissues: tuple[str, ...]
    """Beginnings or parts of tissue names that the type is looked for in; none means everywhere."""


@cache
def marker_types() -> tuple[MarkerType, ...]:
    """Return every type of the table with its genes, in the order of the table."""
    rows = package_rows("markers.csv")
    genes: dict[str, list[str]] = {}
    for row in rows:
        genes.setdefault(row["label"], []).append(row["gene"])
    heads = {row["label"]: row for row in rows}
    return tuple(
        MarkerType(
            label,
            heads[label]["class"],
            tuple(names),
            tuple(word for word in heads[label]["tissue"].split(";") if word),
        )
        for label, names in genes.items()
    )


def types_of_tissue(tissue: str) -> tuple[MarkerType, ...]:
    """Return the types that a tissue may hold.

    A tissue that the table does not know may hold all of them.
    """
    found = [kind for kind in marker_types() if _in_tissue(kind.tissues, tissue)]
    known = any(kind.tissues for kind in found)
    return tuple(kind for kind in marker_types() if not kind.tissues or not known or kind in found)


def _in_tissue(words: Sequence[str], tissue: str) -> bool:
    return any(word in tissue.casefold() for word in words)
