"""Clusterings are named after their resolution, and read from a table."""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from sthelar_build.core.clusters import ClusteredCells, Clustering, leiden_column, leiden_columns


def test_columns_come_by_resolution_and_not_by_spelling():
    names = ["cell_id", leiden_column(10), leiden_column(2.0), leiden_column(0.4)]
    assert leiden_columns(names) == ["leiden_0.4", "leiden_2", "leiden_10"]


def test_a_clustering_keeps_the_order_of_the_table():
    obs = pd.DataFrame({"cell_id": ["b", "a", "a"], "leiden_1": pd.Categorical(["1", "0", "1"])})
    found = Clustering.of(obs, "leiden_1")
    assert found.cell_ids.tolist() == ["b", "a", "a"]
    assert found.clusters.tolist() == [1, 0, 1]
    assert found.names == ["0", "1"]


def test_expression_is_logged_and_the_counts_stay():
    clustering = Clustering(pd.Index(["a"]), np.array([0]), ["0"])
    cells = ClusteredCells(clustering, sp.csr_matrix([[1.0, 3.0]]), ["A", "B"])
    np.testing.assert_allclose(cells.logged.toarray(), np.log1p([[2500, 7500]]), rtol=1e-6)
    assert cells.counts.toarray().tolist() == [[1, 3]]
