"""Label maps: a table fine label -> class that a user writes for an atlas of his own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.tsv import read_tsv
from sthelar_build.schema.labels import CLASS_NAMES
from sthelar_build.schema.vocabulary import FineLabel, resolve, suggestion

_COLUMNS = ("label", "class")


def read_label_map(path: Path | None) -> dict[str, str]:
    """Read the tab-separated columns label and class; an absent map is empty."""
    if path is None:
        return {}
    mapped = {row["label"]: row["class"] for _, row in read_tsv(path, _COLUMNS)}
    wrong = sorted(set(mapped.values()).difference(CLASS_NAMES))
    if wrong:
        raise ConfigError(
            f"{path}: expected a class of {', '.join(CLASS_NAMES)}, found {', '.join(map(repr, wrong))}; correct it"
        )
    return mapped


def resolve_labels(
    labels: Sequence[str], label_map: dict[str, str], where: Path
) -> dict[str, FineLabel]:
    """Return the vocabulary's entry of every label; InputError names all that it lacks."""
    known, unknown = resolve(labels, label_map)
    if unknown:
        hints = "; ".join(f"{label!r} (nearest: {suggestion(label)!r})" for label in unknown)
        raise InputError(
            f"{where}: expected labels of the vocabulary, found {hints}; give a label_map "
            "(tsv with the columns label and class) for them"
        )
    return known
