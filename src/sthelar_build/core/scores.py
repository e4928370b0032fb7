"""Tangram's scores: the share of every label of the reference on every object."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Scores:
    """Shares of labels on objects."""

    id_column: str
    """``nucleus_id`` or ``cell_id``."""
    ids: NDArray[np.generic]
    """uint32, or str as object."""
    labels: list[str]
    """Fine labels of the reference."""
    shares: NDArray[np.float32]
    """(objects, labels); rows sum to 1, or are NaN for objects that were not mapped."""

    def of(self, ids: pd.Index) -> NDArray[np.float32]:
        """Return the shares of these objects, in the order given; NaN for those without any."""
        return spread(self.shares, pd.Index(self.ids).get_indexer(ids))


def spread(values: NDArray[np.generic], rows: NDArray[np.integer]) -> NDArray[np.float32]:
    """Return the rows ``rows`` of ``values`` as float32; a negative number gives a row of NaN."""
    if not len(values):
        return np.full((len(rows), values.shape[1]), np.nan, dtype=np.float32)
    spread_out: NDArray[np.float32] = values[rows].astype(np.float32, copy=False)
    spread_out[rows < 0] = np.nan
    return spread_out


def strongest(shares: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return the number of the largest share of every row; -1 where the row is NaN."""
    silent = np.isnan(shares).any(axis=1)
    return np.where(silent, -1, np.argmax(shares, axis=1))
