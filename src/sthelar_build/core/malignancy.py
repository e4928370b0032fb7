"""Whether a cell is the tumour's: from the slide's condition, its class, and the words of its type; else null."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from sthelar_build.schema.labels import OTHER
from sthelar_build.schema.package_tables import package_rows
from sthelar_build.schema.vocabulary import CANCER, NORMAL, FineLabel, key

_ORIGINS = frozenset({"Epithelial", "Melanocyte", "Glioblastoma", OTHER})
_SIDES = {"cancer": CANCER, "normal": NORMAL}
_ANYWHERE, _ORIGIN = "anywhere", "origin"


class Malignancy(NamedTuple):
    """What label3 says, and why."""

    label3: str | None
    """cancer_cell, normal_cell, or None where the data do not tell."""
    reason: str


class _Words(NamedTuple):
    words: str
    side: str
    where: str
    source: str

    def speak_of(self, entry: FineLabel) -> bool:
        place = self.where in (_ANYWHERE, entry.class_name)
        if self.where == _ORIGIN:
            place = entry.class_name in _ORIGINS
        return place and f" {self.words} " in f" {key(entry.label)} | {key(entry.label1)} "


@cache
def _table() -> tuple[_Words, ...]:
    return tuple(_Words(**row) for row in package_rows("malignancy.csv"))


def malignancy(entry: FineLabel, condition: str) -> Malignancy:
    """Return whether a type on a slide of this condition is the tumour's.

    On a normal slide nothing is. On a cancer slide the first words of ``malignancy.csv`` that the fine label or its
    coarse type holds decide: the reference says ``malignant`` or ``normal`` itself, or the published labels
    (STHELAR) know the type as one of the two only, as mammary epithelium (the tumour) and keratinocytes (not). The words
    cancer and tumour count for what tumours grow from only: a tumour-associated macrophage is no tumour cell. Other
    immune, stromal and specialised types are normal. What is left, as hepatocytes of an atlas of
    healthy livers, can be either, and has no answer.
    """
    if condition != "cancer":
        return Malignancy(NORMAL, f"the slide is {condition}")
    for words in _table():
        if words.speak_of(entry):
            return Malignancy(_SIDES[words.side], f"{words.source}: {words.words}")
    if entry.class_name in _ORIGINS:
        return Malignancy(None, f"nothing tells tumour from normal {entry.label}")
    return Malignancy(NORMAL, f"{entry.class_name} is not what the tumour grows from")
