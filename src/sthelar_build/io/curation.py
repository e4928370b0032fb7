"""Human decisions: a small table under version control that changes labels of clusters, cells or regions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from sthelar_build.core.cluster_keys import ClusterKey
from sthelar_build.core.decisions import Decision, NamedCells, NamedCluster, Region
from sthelar_build.errors import ConfigError
from sthelar_build.io.curation_targets import Target, hint, parse_target, read_lines
from sthelar_build.io.selections import polygon_of, read_cell_ids, read_region
from sthelar_build.io.tsv import Row
from sthelar_build.schema.frames import Frame
from sthelar_build.schema.labels import CLASS_NAMES
from sthelar_build.schema.vocabulary import FineLabel, exact, vocabulary

_CLUSTER = "cluster:"


def read_curation(path: Path | None, label_map: Mapping[str, str]) -> list[Decision]:
    """Read the tab-separated columns target, label, who, when, why, and only where it is there.

    An absent file decides nothing. Lines that start with # are comments. Files that targets name are read too.
    ConfigError names the line that cannot be understood. Whether the slide has the clusters and cells is not known here.
    """
    if path is None:
        return []
    return [
        _decision(where, target, row, label_map, path.parent)
        for where, target, row in read_lines(path)
    ]


def _decision(
    where: str, target: Target, row: Row, label_map: Mapping[str, str], folder: Path
) -> Decision:
    for column in ("who", "why"):
        if not row[column]:
            raise ConfigError(
                f"{where}: expected words in the column {column}, found none; add them"
            )
    return Decision(
        where=where,
        line=int(where.rpartition(" ")[2]),
        words=_words(target, row["only"]),
        target=_cells_of(where, target),
        label=_label(where, row["label"], label_map),
        who=row["who"],
        when=_date(where, row["when"]),
        why=row["why"],
        only=_only(where, row["only"], folder),
    )


def _cells_of(where: str, target: Target) -> NamedCluster | NamedCells | Region:
    if target.kind == "cluster":
        return NamedCluster(_key(where, target.value))
    if target.kind == "cell":
        return NamedCells([target.value])
    try:
        if target.file is None:
            return Region(polygon_of(target.value), Frame.HE)
        if target.kind == "cells":
            return NamedCells(read_cell_ids(target.file, target.part))
        frame = Frame.HE if target.drawn_on_he else Frame.UM
        return Region(read_region(target.file, target.part), frame)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def _key(where: str, text: str) -> ClusterKey | str:
    """Return the key that the text is; without the sign of one it is the bare name."""
    if "@" not in text:
        return text
    try:
        return ClusterKey.parse(text)
    except ValueError as error:
        raise ConfigError(
            f"{where}: expected the whole key of a cluster, found {text!r}; copy it again from the report"
        ) from error


def _only(where: str, text: str, folder: Path) -> NamedCluster | str | None:
    if not text:
        return None
    if text.startswith(_CLUSTER):
        return NamedCluster(_key(where, parse_target(where, text, folder).value))
    if text not in CLASS_NAMES:
        raise ConfigError(
            f"{where}: expected a class or cluster:KEY in the column only, found {text!r}{hint(text, CLASS_NAMES)}"
        )
    return text


def _label(where: str, label: str, label_map: Mapping[str, str]) -> FineLabel:
    entry = exact(label, label_map)
    if entry is None:
        known = [*CLASS_NAMES, *(entry.label for entry in vocabulary().values()), *label_map]
        raise ConfigError(
            f"{where}: expected a fine label or a class, found {label!r}{hint(label, known)}"
        )
    return entry


def _date(where: str, text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise ConfigError(
            f"{where}: expected a date such as 2026-01-31 in the column when, found {text!r}; correct it"
        ) from error


def _words(target: Target, only: str) -> str:
    """Return which cells a line is on, in words."""
    if target.kind == "polygon":
        words = f"polygon of {len(target.value.split())} corners"
    elif target.file is None:
        words = f"{target.kind} {target.value.partition('@')[0]}"
    else:
        part = f", {target.part}" if target.part else ""
        words = f"{target.kind} of {target.file.name}{part}"
    return f"{words}, only {only.partition('@')[0].replace(':', ' ')}" if only else words
