"""Label maps: a table fine label -> class that a user writes for an atlas of his own."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.tsv import read_tsv
from sthelar_build.schema.labels import CLASS_NAMES
from sthelar_build.schema.vocabulary import FineLabel, find, key, resolve, suggestion

_COLUMNS = ("label", "class")


def read_label_map(path: Path | None) -> dict[str, str]:
    """Read the tab-separated columns label and class; an absent map is empty.

    ConfigError names every class that there is not, and every label that has two.
    """
    if path is None:
        return {}
    rows = [(row["label"], row["class"]) for _, row in read_tsv(path, _COLUMNS)]
    wrong = sorted({name for _, name in rows}.difference(CLASS_NAMES))
    if wrong:
        hints = ", ".join(f"{name!r}{_nearest_class(name)}" for name in wrong)
        raise ConfigError(
            f"{path}: expected a class of {', '.join(CLASS_NAMES)}, found {hints}; correct it"
        )
    _check_one_class_each(path, rows)
    return dict(rows)


def resolve_labels(
    labels: Sequence[str], label_map: Mapping[str, str], where: Path
) -> dict[str, FineLabel]:
    """Return the vocabulary's entry of every label; InputError names all that it lacks, and what is spelt nearest."""
    known, unknown = resolve(labels, label_map)
    if unknown:
        raise InputError(
            f"{where}: expected labels of the vocabulary, found {'; '.join(map(_hint, unknown))}; give a label_map "
            "(tsv with the columns label and class) for them"
        )
    return known


def unused_labels(label_map: Mapping[str, str], labels: Sequence[str]) -> list[str]:
    """Return the labels of a map that an atlas with these labels does not have: most often misspelt ones."""
    there = set(map(key, labels))
    return [label for label in label_map if key(label) not in there]


def _check_one_class_each(path: Path, rows: Sequence[tuple[str, str]]) -> None:
    """Refuse a label with two classes, also if it is spelt in two ways that count as one."""
    classes: dict[str, set[str]] = {}
    for label, name in rows:
        classes.setdefault(key(label), set()).add(name)
    torn = {label: classes[key(label)] for label, _ in rows if len(classes[key(label)]) > 1}
    if torn:
        found = "; ".join(
            f"{label!r} as {' and '.join(sorted(names))}" for label, names in torn.items()
        )
        raise ConfigError(f"{path}: expected one class per label, found {found}; keep one of them")


def _hint(label: str) -> str:
    near = suggestion(label)
    entry = find(near)
    return f"{label!r} (nearest: {near!r}{f', class {entry.class_name}' if entry else ''})"


def _nearest_class(name: str) -> str:
    near = difflib.get_close_matches(name, CLASS_NAMES, n=1)
    return f" (nearest: {near[0]})" if near else ""
