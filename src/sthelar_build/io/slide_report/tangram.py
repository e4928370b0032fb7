"""Tangram's class of every cell beside the class that was decided."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sthelar_build.core.class_table import ClassTable, class_table
from sthelar_build.core.scores import strongest
from sthelar_build.io.scores import score_columns
from sthelar_build.schema.labels import CLASS_NAMES
from sthelar_build.schema.words import LOW_COUNT

_ROWS_AT_ONCE = 65_536


def tangram_table(tangram_cells: Path, labels: pd.DataFrame) -> ClassTable:
    """Compare Tangram's strongest label of every cell, as a class, with the refined class.

    Cells that Tangram did not map, and cells with too few transcripts, are not compared. ``labels`` has the columns of
    LABELS.
    """
    ids, mapped = _classes(tangram_cells)
    cells = labels[labels["decided_by"] != LOW_COUNT]
    rows = pd.Index(ids).get_indexer(pd.Index(cells["cell_id"].astype(str)))
    refined = pd.Index(CLASS_NAMES).get_indexer(pd.Index(cells["final_label"]))
    return class_table(np.append(mapped, -1)[rows], refined)


def _classes(path: Path) -> tuple[list[str], NDArray[np.intp]]:
    """Return ids, and the position in ``CLASS_NAMES`` of what has the largest share; -1 for what was not mapped."""
    id_column, class_of = score_columns(path)
    of_label: NDArray[np.intp] = pd.Index(CLASS_NAMES).get_indexer(pd.Index(class_of.values()))
    ids: list[str] = []
    found = [np.empty(0, dtype=np.intp)]
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_ROWS_AT_ONCE, columns=[id_column, *class_of]):
            ids += map(str, batch.column(0).to_pylist())
            shares = np.stack(
                [column.to_numpy(zero_copy_only=False) for column in batch.columns[1:]], axis=1
            )
            found.append(np.append(of_label, -1)[strongest(shares)])
    return ids, np.concatenate(found)
