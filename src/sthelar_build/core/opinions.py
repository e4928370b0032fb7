"""What else speaks for the class of a cell: its nuclei, their clusters, its cluster of the combined table.

An opinion is an array (cells, classes) of shares; a row of NaN has none.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.clusters import Clustering
from sthelar_build.core.refinement import shares_in_clusters

Floats = NDArray[np.float64]


def nuclear_opinions(cell_ids: pd.Index, nuclei: Clustering, shares: Floats) -> list[Floats]:
    """Return what the nuclei of every cell say: their own shares (nuclei, classes), and their clusters.

    A cell with several nuclei takes their mean; one without any has no opinion.
    """
    around = shares_in_clusters(shares, nuclei.clusters, len(nuclei.names))
    return [mean_per_cell(cell_ids, nuclei.cell_ids, part) for part in (shares, around)]


def combined_opinion(cell_ids: pd.Index, combined: Clustering, shares: Floats) -> Floats:
    """Return what the cells of the cluster of the combined table say that a cell is in.

    ``shares`` (cells, classes) are those of ``cell_ids``.
    """
    rows = cell_ids.get_indexer(combined.cell_ids)
    own = np.full((len(rows), shares.shape[1]), np.nan)
    own[rows >= 0] = shares[rows[rows >= 0]]
    around = shares_in_clusters(own, combined.clusters, len(combined.names))
    return mean_per_cell(cell_ids, combined.cell_ids, around)


def mean_per_cell(cell_ids: pd.Index, owners: pd.Index, shares: Floats) -> Floats:
    """Return the mean of the rows that each cell owns, rows of NaN apart; NaN where there is none."""
    rows = cell_ids.get_indexer(owners)
    valid = (rows >= 0) & ~np.isnan(shares).any(axis=1)
    sums = np.zeros((len(cell_ids), shares.shape[1]))
    np.add.at(sums, rows[valid], shares[valid])
    totals = np.bincount(rows[valid], minlength=len(sums))[:, None]
    return np.divide(sums, totals, out=np.full_like(sums, np.nan), where=totals > 0)
