"""The summed counts of every class, read from a count table in pieces: a slide of millions of cells takes no memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp

from sthelar_build.core.marker_means import SlideClasses
from sthelar_build.core.normalise import group_sums
from sthelar_build.errors import InputError
from sthelar_build.io.counts import read_h5ad
from sthelar_build.schema.labels import CLASS_NAMES

_ROWS_AT_ONCE = 50_000


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
    classes = pd.Index(CLASS_NAMES).get_indexer(pd.Index(labels["final_label"]))
    table = read_h5ad(path, backed=True)
    try:
        rows = pd.Index(labels["cell_id"].astype(str)).get_indexer(table.obs["cell_id"].astype(str))
        if (rows < 0).any() or len(rows) != len(labels):
            raise InputError(
                f"{path}: expected the {len(labels)} cells of the labels, found {len(rows)}, of which "
                f"{(rows < 0).sum()} are others; run refine again"
            )
        of_row = classes[rows]
        sums = np.zeros((len(CLASS_NAMES), table.n_vars))
        for start in range(0, table.n_obs, _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            counts = sp.csr_matrix(table.X[part])
            sums += group_sums(counts, of_row[part], len(CLASS_NAMES))
        genes = [str(gene) for gene in table.var_names]
    finally:
        table.file.close()
    n_cells = np.bincount(of_row, minlength=len(CLASS_NAMES))
    return SlideClasses(slide, tissue, genes, n_cells, sums)
