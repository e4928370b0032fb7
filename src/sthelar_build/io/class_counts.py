"""The summed counts of every class of a slide."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from sthelar_build.core.marker_means import SlideClasses
from sthelar_build.core.normalise import group_sums
from sthelar_build.io.labelled_counts import LabelledCounts
from sthelar_build.schema.labels import CLASS_NAMES


def read_class_counts(path: Path, labels: pd.DataFrame, slide: str, tissue: str) -> SlideClasses:
    """Sum the counts of the cells of every class.

    Parameters
    ----------
    path
        ``counts_cells.h5ad``.
    labels
        ``cell_id`` and ``final_label`` of the cells of the slide.
    slide, tissue
        Names.

    Raises
    ------
    InputError
        If the counts are of other cells than the labels.
    """
    table = LabelledCounts(path, labels)
    sums = np.zeros((len(CLASS_NAMES), len(table.genes)))
    for counts, classes in table.blocks():
        sums += group_sums(counts, classes, len(CLASS_NAMES))
    n_cells = np.bincount(table.classes, minlength=len(CLASS_NAMES))
    return SlideClasses(slide, tissue, table.genes, n_cells, sums)
