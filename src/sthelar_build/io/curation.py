"""Human decisions: a small table under version control that changes labels of clusters or cells."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from sthelar_build.core.label_tables import Curation, Decision
from sthelar_build.errors import ConfigError
from sthelar_build.io.tsv import read_tsv
from sthelar_build.schema.vocabulary import FineLabel, exact, suggestion

COLUMNS = ("target", "label", "who", "when", "why")


def read_curation(
    path: Path | None,
    clusters: Collection[str],
    cells: Collection[str],
    label_map: Mapping[str, str],
) -> Curation:
    """Read the tab-separated columns target, label, who, when, why; an absent file decides nothing.

    ``target`` is ``cluster:ID`` or ``cell:ID``; ``label`` a fine label or a class. Lines that start with #
    are comments. The last line on a target counts. ConfigError names the line whose target or label is unknown.
    """
    chosen: dict[str, dict[str, Decision]] = {"cluster": {}, "cell": {}}
    if path is None:
        return Curation()
    for number, row in read_tsv(path, COLUMNS):
        kind, _, target = row["target"].partition(":")
        known = {"cluster": clusters, "cell": cells}.get(kind, ())
        if target not in known:
            raise ConfigError(
                f"{path}: line {number}: expected cluster:ID or cell:ID of this slide, "
                f"found {row['target']!r}; correct or remove it"
            )
        label = _label(path, number, row["label"], label_map)
        chosen[kind][target] = Decision(label, row["who"], row["when"], row["why"])
    return Curation(chosen["cluster"], chosen["cell"])


def _label(path: Path, number: int, label: str, label_map: Mapping[str, str]) -> FineLabel:
    entry = exact(label, label_map)
    if entry is None:
        raise ConfigError(
            f"{path}: line {number}: expected a fine label or a class, found {label!r} "
            f"(nearest: {suggestion(label)!r}); correct it"
        )
    return entry
