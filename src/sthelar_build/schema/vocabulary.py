"""The vocabulary of fine labels: what each is called, its coarse type, and its class."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from sthelar_build.schema.labels import CLASSES, OTHER
from sthelar_build.schema.package_tables import package_rows

LESS_THAN_TEN = "less10"
"""All three labels of an object with too few transcripts."""
CANCER = "cancer_cell"
NORMAL = "normal_cell"
_NOT_A_TYPE = frozenset({"doublet", "multiplet", "unknown", "unassigned"})


@dataclass(frozen=True)
class FineLabel:
    """One row of ``fine_labels.csv``."""

    label: str
    """The fine type, as it is written in label2."""
    label1: str
    """The coarse type."""
    class_name: str
    """The class of ``labels.csv``."""


def key(label: str) -> str:
    """Return what two spellings of one label share: no case, punctuation, plural, or the word cell."""
    words = re.sub(r"[^a-z0-9]+", " ", label.casefold()).split()
    return " ".join(word for word in map(_singular, words) if word != "cell")


def _singular(word: str) -> str:
    plural = len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if plural else word


@cache
def vocabulary() -> dict[str, FineLabel]:
    """Return every fine label by its :func:`key`, in the order of the table."""
    rows = package_rows("fine_labels.csv")
    labels = [FineLabel(row["label"], row["label1"], row["class"]) for row in rows]
    return {key(label.label): label for label in labels}


def find(label: str) -> FineLabel | None:
    """Return the vocabulary's entry for a label, or for its head; None if there is neither.

    The head of an English compound is at its end, so leading words are dropped until the rest is
    known: ``XYZ1+ fibroblast`` is a ``Fibroblast``. What is no cell type (``doublet``, ``cycling``) has
    to be the whole label: a ``cycling`` at the end says nothing about the class. The class names
    themselves are labels too.
    """
    words = key(label).split()
    if _NOT_A_TYPE.intersection(words):
        return vocabulary()["unknown"]
    for start in range(len(words)):
        entry = vocabulary().get(" ".join(words[start:]))
        if entry and (start == 0 or entry.class_name != OTHER):
            return entry
    return _named_as_class(label)


def _named_as_class(label: str) -> FineLabel | None:
    for cell_class in CLASSES:
        if key(cell_class.name) == key(label):
            return FineLabel(cell_class.name, cell_class.name, cell_class.name)
    return None


def exact(label: str, label_map: Mapping[str, str] | None = None) -> FineLabel | None:
    """Return the entry of a label that the map, the vocabulary or the classes name as a whole.

    A mapped label keeps its own spelling; its coarse type is the vocabulary's where the classes agree,
    and the class otherwise.
    """
    mapped = {key(name): class_name for name, class_name in (label_map or {}).items()}
    wanted = mapped.get(key(label))
    if wanted is None:
        return vocabulary().get(key(label)) or _named_as_class(label)
    entry = find(label)
    same = entry is not None and entry.class_name == wanted
    return FineLabel(label, entry.label1 if entry and same else wanted, wanted)


def resolve(
    labels: Iterable[str], label_map: Mapping[str, str] | None = None
) -> tuple[dict[str, FineLabel], list[str]]:
    """Return the entry of every label, and the labels that have none.

    ``label_map`` (label -> class) goes first, then the vocabulary, then the head of the label. A label
    that is known by its head only keeps its own spelling.
    """
    known: dict[str, FineLabel] = {}
    unknown: list[str] = []
    for label in labels:
        entry = exact(label, label_map)
        head = None if entry else find(label)
        if head is not None:
            entry = FineLabel(label, head.label1, head.class_name)
        if entry is None:
            unknown.append(label)
        else:
            known[label] = entry
    return known, unknown


def suggestion(label: str) -> str:
    """Return the label of the vocabulary whose spelling is nearest."""
    near = difflib.get_close_matches(key(label), vocabulary(), n=1, cutoff=0.0)
    return vocabulary()[near[0]].label
