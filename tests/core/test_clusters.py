"""Clusterings are named after their resolution, and read from a table."""

import pandas as pd

from sthelar_build.core.clusters import Clustering, leiden_column, leiden_columns


def test_columns_come_by_resolution_and_not_by_spelling():
    names = ["cell_id", leiden_column(10), leiden_column(2.0), leiden_column(0.4)]
    assert leiden_columns(names) == ["leiden_0.4", "leiden_2", "leiden_10"]


def test_a_clustering_keeps_the_order_of_the_table():
    obs = pd.DataFrame({"cell_id": ["b", "a", "a"], "leiden_1": pd.Categorical(["1", "0", "1"])})
    found = Clustering.of(obs, "leiden_1")
    assert found.cell_ids.tolist() == ["b", "a", "a"]
    assert found.clusters.tolist() == [1, 0, 1]
    assert found.names == ["0", "1"]
