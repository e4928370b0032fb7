"""Where the errors of a case are: classes, who decided, clusters."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from annotation_cases.outcome import case_table

_WORST = 12


def print_detail(folder: Path) -> None:
    """Print the confusion of classes, the accuracy by decision, and the clusters with most errors."""
    table = case_table(folder)
    wrong = table["refined"] != table["class_name"]
    with pd.option_context("display.width", 250, "display.max_columns", 30, "display.max_rows", 99):
        print(pd.crosstab(table["class_name"], table["refined"]))
        print(table.assign(wrong=wrong).groupby("decided_by")["wrong"].agg(["size", "sum"]))
        print(_clusters(folder, table[wrong], table))


def _clusters(folder: Path, errors: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    evidence = pd.read_parquet(folder / "evidence.parquet").set_index("cluster")
    shown = evidence[
        [
            *("n_cells", "purity", "neighbour_purity"),
            *("tangram_class", "tangram_share", "marker_class", "marker_score", "marker_margin"),
            *("final_label", "decided_by"),
        ]
    ].assign(
        wrong=errors.groupby("cluster").size(),
        held=table.groupby("cluster")["fine_label"].agg(_composition),
    )
    return shown.sort_values("wrong", ascending=False).head(_WORST)


def _composition(labels: pd.Series) -> str:
    counts = labels.value_counts().head(4)
    return " ".join(f"{label}:{number}" for label, number in counts.items())
