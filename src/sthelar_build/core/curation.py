"""Human decisions: applied to the labels from the first to the last, and kept in a table of what they changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.cluster_keys import HashedClusters
from sthelar_build.core.decision_targets import Places, Rows, TargetFinder
from sthelar_build.core.decisions import Decision, NamedCluster, target_of
from sthelar_build.core.label_tables import label_words
from sthelar_build.core.malignancy import malignancy
from sthelar_build.schema.tables import OVERRIDES
from sthelar_build.schema.words import CURATION

_FROM = ["from_class", "from_label"]


@dataclass(frozen=True)
class Curated:
    """The tables after human decisions."""

    labels: pd.DataFrame
    evidence: pd.DataFrame
    overrides: pd.DataFrame
    """The columns of OVERRIDES: what each decision changed."""
    notes: tuple[str, ...]
    """What the person should know, though it stops nothing."""


def curate(
    labels: pd.DataFrame,
    evidence: pd.DataFrame,
    decisions: Sequence[Decision],
    places: Places,
    condition: str,
) -> Curated:
    """Apply human decisions, from the first to the last: a later one holds for what it shares with an earlier one.

    Parameters
    ----------
    labels, evidence
        The columns of LABELS and EVIDENCE, before. They are not modified.
    decisions
        In the order of the table.
    places
        Of the cells of ``labels``.
    condition
        cancer or normal.

    Returns
    -------
    The tables after. Cells that are named take the label, ``curation`` and confidence 1, also where they have too few
    transcripts to be typed; those are in no cluster. A decision on a whole cluster also stands in its evidence.

    Raises
    ------
    ConfigError
        If a cluster is named without its key, or its key belongs to other cells than the cluster of that name now
        holds; if cells are unknown; if a region holds none.
    """
    clusters = HashedClusters(labels["cell_id"], labels["cluster"])
    labels, evidence = labels.copy(), _with_keys(evidence, clusters)
    finder = TargetFinder(labels, clusters, places)
    last = np.full(len(labels), -1)
    changes, notes = [], []
    for number, decision in enumerate(decisions):
        rows = finder.rows(decision)
        if not rows.any():
            notes.append(f"{decision.where}: none of its cells is of {decision.only_words}")
        changes.append(labels.loc[rows, ["final_label", "label2"]].set_axis(_FROM, axis=1))
        last[rows] = number
        words = label_words(decision.label, condition)
        _put(labels, rows, {**words, "decided_by": CURATION, "confidence": np.float32(1)})
        if isinstance(decision.target, NamedCluster) and decision.only is None:
            row = (evidence["cluster"] == decision.target.name).to_numpy()
            why = {
                "reason": decision.reason,
                "label3_reason": malignancy(decision.label, condition).reason,
            }
            _put(evidence, row, {**words, **why, "decided_by": CURATION})
    return Curated(labels, evidence, _overrides(decisions, changes, last), (*notes, *finder.notes))


def _with_keys(evidence: pd.DataFrame, clusters: HashedClusters) -> pd.DataFrame:
    """Return the evidence with ``cluster_key``, the target that a decision on the cluster has to name.

    It is null for a cluster that no cell of the labels is in.
    """
    keys = [clusters.key(str(name)) for name in evidence["cluster"]]
    texts = [None if key is None else target_of(key) for key in keys]
    return evidence.assign(cluster_key=pd.Series(texts, index=evidence.index, dtype=object))


def _put(table: pd.DataFrame, rows: Rows, values: dict[str, Any]) -> None:
    for name, value in values.items():
        table[name] = table[name].where(~rows, value)


def _overrides(
    decisions: Sequence[Decision], changes: Sequence[pd.DataFrame], last: NDArray[np.intp]
) -> pd.DataFrame:
    """Count the cells of every decision by the label that they had; one without cells has a row of none."""
    rows = []
    for number, (decision, before) in enumerate(zip(decisions, changes, strict=True)):
        about = {
            "line": decision.line,
            "target": decision.words,
            "to_class": decision.label.class_name,
            "to_label": decision.label.label,
            "who": decision.who,
            "when": decision.when,
            "why": decision.why,
        }
        rows += [{**about, **counted} for counted in _counts(before, last[before.index] == number)]
    table = pd.DataFrame(rows, columns=OVERRIDES.names)
    return table.astype(dict.fromkeys(("line", "n_cells", "n_kept"), np.uint32))


def _counts(before: pd.DataFrame, kept: Rows) -> list[dict[str, Any]]:
    """Return the number of cells by the label that they had, most first, and of those that are kept."""
    if before.empty:
        return [{**dict.fromkeys(_FROM), "n_cells": 0, "n_kept": 0}]
    n_kept = before.assign(kept=kept).groupby(_FROM)["kept"].agg(["size", "sum"])
    ordered = n_kept.sort_values("size", ascending=False, kind="stable")
    return [
        {"from_class": names[0], "from_label": names[1], "n_cells": size, "n_kept": kept}
        for names, (size, kept) in zip(ordered.index, ordered.to_numpy().tolist(), strict=True)
    ]
