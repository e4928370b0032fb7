"""How good the labels of a case are: Tangram alone, markers alone, and the refined label, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation_cases.files import COUNTS_CELLS, REFERENCE, TRUTH
from annotation_cases.plan import Plan
from sthelar_build.core.refinement import class_shares
from sthelar_build.core.scores import strongest
from sthelar_build.io.counts import read_h5ad
from sthelar_build.io.label_map import resolve_labels
from sthelar_build.io.scores import read_scores
from sthelar_build.schema.labels import CLASS_NAMES, OTHER

MIN_TRANSCRIPTS = 10
WITNESSES = ("tangram", "markers", "refined")


@dataclass(frozen=True)
class Outcome:
    """Shares of the cells with at least ten transcripts; Other is wrong, as every cell has a class."""

    n_cells: int
    too_few: float
    """Share of all cells with fewer than ten transcripts."""
    accuracy: dict[str, float]
    rare_recall: dict[str, float]
    """Recall of the rare class; empty without one."""
    absent_recall: dict[str, float]
    """Recall of the types that the atlas lacks; empty without any."""
    calibration_error: float
    """Of ``confidence``, over the cells with a class."""
    other: float
    """Share that is called Other."""


def case_table(folder: Path) -> pd.DataFrame:
    """Return the truth and all calls of the cells with enough transcripts: one row per cell.

    Tangram alone is the class with the largest sum of shares; markers alone the class whose markers score
    highest in the cluster of the cell.
    """
    truth = pd.read_parquet(folder / TRUTH).set_index("cell_id")
    counts = read_h5ad(folder / COUNTS_CELLS).obs.set_index("cell_id")["transcript_counts"]
    labels = pd.read_parquet(folder / "labels.parquet").set_index("cell_id").loc[truth.index]
    evidence = pd.read_parquet(folder / "evidence.parquet").set_index("cluster")
    table = truth.assign(
        transcripts=counts.loc[truth.index].to_numpy(),
        tangram=_tangram(folder, truth.index),
        markers=labels["cluster"].map(evidence["marker_class"]),
        refined=labels["final_label"],
        **{name: labels[name] for name in ("label2", "confidence", "decided_by", "cluster")},
    )
    return table[table["transcripts"] >= MIN_TRANSCRIPTS]


def _tangram(folder: Path, cell_ids: pd.Index) -> NDArray[np.object_]:
    scores = read_scores(folder / "tangram_cells.parquet")
    entries = resolve_labels(scores.labels, {}, folder / REFERENCE)
    known = [entries[label] for label in scores.labels]
    best = strongest(class_shares(scores.of(cell_ids), known))
    return np.where(best < 0, OTHER, np.array(CLASS_NAMES, dtype=object)[best])


def outcome(folder: Path, plan: Plan) -> Outcome:
    """Compare the labels of a case with the truth."""
    table = case_table(folder)
    n_all = len(pd.read_parquet(folder / TRUTH))
    absent = table["fine_label"].isin(plan.missing)
    return Outcome(
        n_all,
        1 - len(table) / n_all,
        _recall(table),
        _recall(table[table["class_name"] == plan.rare]),
        _recall(table[absent]),
        calibration_error(table),
        float((table["refined"] == OTHER).mean()),
    )


def _recall(table: pd.DataFrame) -> dict[str, float]:
    if table.empty:
        return {}
    return {name: float((table[name] == table["class_name"]).mean()) for name in WITNESSES}


def calibration_error(table: pd.DataFrame, bins: int = 10) -> float:
    """Return the expected calibration error (Guo et al. 2017) over equal bins of ``confidence``."""
    called = table[table["refined"] != OTHER]
    right = called["refined"] == called["class_name"]
    number = np.minimum((called["confidence"] * bins).astype(int), bins - 1)
    gaps = (right - called["confidence"]).groupby(number).sum().abs()
    return float(gaps.sum() / max(len(called), 1))
