"""Clusterings: how their columns are called, which cell is in which cluster, and what it counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

_PREFIX = "leiden_"


@dataclass(frozen=True)
class Clustering:
    """Which cell is in which cluster; in a clustering of nuclei a cell may come several times."""

    cell_ids: pd.Index
    clusters: NDArray[np.intp]
    """Number of the cluster of every row."""
    names: list[str]
    """Name of every cluster."""

    @classmethod
    def of(cls, obs: pd.DataFrame, column: str) -> Clustering:
        """Take a clustering from the ``obs`` of a table: ``cell_id`` and the column of clusters."""
        labels = obs[column].astype("category").cat
        return cls(
            pd.Index(obs["cell_id"].astype(str)),
            labels.codes.to_numpy().astype(np.intp),
            [str(name) for name in labels.categories],
        )


@dataclass(frozen=True, eq=False)
class ClusteredCells:
    """Clustered cells and their raw counts."""

    clustering: Clustering
    counts: sp.csr_matrix
    """(cells, genes), in the order of the clustering."""
    genes: list[str]


def leiden_column(resolution: float) -> str:
    """Return the column of the clusters of a resolution, such as ``leiden_0.4``."""
    return f"{_PREFIX}{resolution:g}"


def leiden_columns(columns: Iterable[str]) -> list[str]:
    """Return the columns that hold clusters, the coarsest first."""
    found = [name for name in columns if name.startswith(_PREFIX)]
    return sorted(found, key=lambda name: float(name.removeprefix(_PREFIX)))
