"""Nuclei speak for their cell, and so do the neighbours in a cluster."""

import numpy as np
import pandas as pd

from sthelar_build.core.clusters import Clustering
from sthelar_build.core.opinions import combined_opinion, mean_per_cell, nuclear_opinions

CELLS = pd.Index(["a", "b", "c"])
NAN = [np.nan, np.nan]


def test_a_cell_takes_the_mean_of_its_rows_and_has_no_opinion_without_any():
    owners = pd.Index(["a", "a", "b", "x"])
    shares = np.array([[1.0, 0], [0, 1], NAN, [1, 0]])
    np.testing.assert_array_equal(mean_per_cell(CELLS, owners, shares), [[0.5, 0.5], NAN, NAN])


def test_a_nucleus_speaks_by_itself_and_by_its_cluster():
    nuclei = Clustering(pd.Index(["a", "b", "b"]), np.array([0, 0, 1]), ["0", "1"])
    shares = np.array([[1.0, 0], [0.9, 0.1], [0, 1]])
    own, around = nuclear_opinions(CELLS, nuclei, shares)
    np.testing.assert_allclose(own, [[1, 0], [0.45, 0.55], NAN])
    np.testing.assert_allclose(around, [[1, 0], [0.5, 0.5], NAN])


def test_the_cells_of_a_combined_cluster_speak_for_each_other():
    combined = Clustering(pd.Index(["c", "a"]), np.array([0, 0]), ["0"])
    shares = np.array([[1.0, 0], [0, 1], [0, 1]])
    found = combined_opinion(CELLS, combined, shares)
    np.testing.assert_allclose(found, [[0.5, 0.5], NAN, [0.5, 0.5]])
