"""Features of chosen nuclei, read from a table that need not fit in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.errors import InputError
from sthelar_build.io.counts import read_h5ad

_ROWS_AT_ONCE = 512


def read_features(
    path: Path, nucleus_ids: NDArray[np.integer]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the features (m, d) of the nuclei that have any, and which those are (n,).

    ``path`` is a ``features_{model}.h5ad``; InputError if its rows are not nuclei.
    """
    table = read_h5ad(path, backed=True)
    try:
        if "nucleus_id" not in table.obs:
            raise InputError(
                f"{path}: expected a row per nucleus with nucleus_id, found none; make it again with embed"
            )
        rows = pd.Index(table.obs["nucleus_id"]).get_indexer(pd.Index(nucleus_ids))
        wanted = np.unique(rows[rows >= 0])
        features = np.full((len(nucleus_ids), table.n_vars), np.nan, dtype=np.float32)
        for start in range(0, len(wanted), _ROWS_AT_ONCE):
            some = wanted[start : start + _ROWS_AT_ONCE]
            place = pd.Index(some).get_indexer(rows)
            features[place >= 0] = np.asarray(table.X[some])[place[place >= 0]]
    finally:
        table.file.close()
    seen = np.asarray(np.isfinite(features).all(axis=1))
    return features[seen], seen
