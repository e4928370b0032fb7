"""The counts of cells with the class of each, read from a count table in pieces: a slide of millions of cells takes no memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from sthelar_build.errors import InputError
from sthelar_build.io.counts import read_h5ad
from sthelar_build.schema.labels import CLASS_NAMES

_ROWS_AT_ONCE = 50_000


class LabelledCounts:
    """A count table of the cells of a slide, and their classes.

    Parameters
    ----------
    path
        ``counts_cells.h5ad``.
    labels
        ``cell_id`` and ``final_label`` of the cells of the slide; a cell without a label (null) has the class -1.

    Raises
    ------
    InputError
        If the counts are of other cells than the labels.
    """

    def __init__(self, path: Path, labels: pd.DataFrame) -> None:
        self._path = path
        table = read_h5ad(path, backed=True)
        try:
            ids = table.obs["cell_id"].astype(str)
            self.genes = [str(gene) for gene in table.var_names]
        finally:
            table.file.close()
        rows = pd.Index(labels["cell_id"].astype(str)).get_indexer(ids)
        if (rows < 0).any() or len(rows) != len(labels):
            raise InputError(
                f"{path}: expected the {len(labels)} cells of the labels, found {len(rows)}, of which "
                f"{(rows < 0).sum()} are others; run refine again"
            )
        known = pd.Index(CLASS_NAMES).get_indexer(pd.Index(labels["final_label"]))
        self.classes: NDArray[np.intp] = known[rows]
        """(cells,) position of the class of every cell in ``CLASS_NAMES``."""

    def blocks(self) -> Iterator[tuple[sp.csr_matrix, NDArray[np.intp]]]:
        """Yield raw counts (cells, genes) and the classes of the cells, part after part."""
        table = read_h5ad(self._path, backed=True)
        try:
            for start in range(0, table.n_obs, _ROWS_AT_ONCE):
                part = slice(start, start + _ROWS_AT_ONCE)
                yield sp.csr_matrix(table.X[part]), self.classes[part]
        finally:
            table.file.close()
