"""The cell classes: index, name, colour, and what each becomes in the patch datasets."""

from __future__ import annotations

from dataclasses import dataclass

from sthelar_build.schema.package_tables import package_rows

SCHEMA_VERSION = 1
"""Bump when a class or its meaning changes; every manifest records it."""


@dataclass(frozen=True)
class CellClass:
    """One class of ``labels.csv``. ``index`` is the value in type maps (0 is background)."""

    index: int
    name: str
    colour: tuple[int, int, int]
    patch_class: str
    """The class that this one is published as in patch datasets (Glioblastoma becomes Other)."""
    grouped: str
    """The class in the five-class grouping."""

    @property
    def hex_colour(self) -> str:
        """The colour as #rrggbb."""
        return "#{:02x}{:02x}{:02x}".format(*self.colour)


def _read_classes() -> tuple[CellClass, ...]:
    return tuple(
        CellClass(
            index=int(row["index"]),
            name=row["name"],
            colour=(int(row["red"]), int(row["green"]), int(row["blue"])),
            patch_class=row["patch_class"],
            grouped=row["grouped"],
        )
        for row in package_rows("labels.csv")
    )


CLASSES: tuple[CellClass, ...] = _read_classes()
"""All classes, by index."""

OTHER = "Other"
"""The class of cells that nothing speaks for: too few transcripts, or no evidence."""

PATCH_CLASSES: tuple[CellClass, ...] = tuple(c for c in CLASSES if c.patch_class == c.name)
"""The nine published patch classes; their indices are 1..9 without a gap."""

CLASS_NAMES: tuple[str, ...] = tuple(c.name for c in CLASSES)
"""Names of all classes, by index."""

PATCH_CLASS_NAMES: tuple[str, ...] = tuple(c.name for c in PATCH_CLASSES)
"""Names of the published classes; class index = position + 1."""

GROUPED_CLASSES: tuple[str, ...] = ("Immune", "Stromal", "Epithelial", "Melanocyte", "Other")
"""The five-class grouping, in published order."""

_BY_NAME = {cell_class.name: cell_class for cell_class in CLASSES}


def class_named(name: str) -> CellClass:
    """Return the class of this name; KeyError if there is none."""
    return _BY_NAME[name]


def patch_class_index(name: str) -> int:
    """Return the type-map value (1..9) that a cell of class ``name`` gets in patch datasets."""
    return _BY_NAME[_BY_NAME[name].patch_class].index
