"""The markers of every class, for the dot plot of the report."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from sthelar_build.core.class_expression import ClassExpression, DotPlot, dot_plot
from sthelar_build.io.labelled_counts import LabelledCounts
from sthelar_build.schema.labels import CLASS_NAMES
from sthelar_build.schema.words import LOW_COUNT


def marker_dots(counts_cells: Path, labels: pd.DataFrame, per_class: int) -> DotPlot:
    """Return the dots of up to ``per_class`` markers of each class; cells with too few transcripts do not count.

    The counts are read part by part. ``labels`` has the columns of LABELS.
    """
    enough = labels["decided_by"] != LOW_COUNT
    table = LabelledCounts(
        counts_cells, labels.assign(final_label=labels["final_label"].where(enough, None))
    )
    found = ClassExpression(len(CLASS_NAMES), len(table.genes))
    for counts, classes in table.blocks():
        found.add(counts, classes)
    return dot_plot(found, table.genes, CLASS_NAMES, per_class)
