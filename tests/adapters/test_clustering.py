"""Clusters are those that are there, whatever the number of threads."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from sthelar_build.adapters.clustering import ClusterRecipe, cluster
from sthelar_build.adapters.components import components_of

RECIPE = ClusterRecipe(
    neighbours=8, exact_neighbours_below=50_000, umap_rows=10_000, seed=0, resolutions=(0.5, 1.0)
)


def counts(n=120, seed=0):
    """Return counts of three types of cells of 40 each, by turns."""
    rng = np.random.default_rng(seed)
    profiles = np.kron(np.eye(3), np.full(5, 3.0)) + 0.2
    return sp.csr_matrix(rng.poisson(profiles[np.arange(n) % 3]).astype(np.float32))


@pytest.mark.parametrize("below", [10, 50_000])
def test_three_types_are_three_clusters(below):
    recipe = replace(RECIPE, exact_neighbours_below=below)
    found = cluster(components_of(counts(), 5), recipe)
    labels = np.asarray(found.leiden["leiden_0.5"])
    assert len(set(labels)) == 3
    assert all(len(set(labels[kind::3])) == 1 for kind in range(3))
    assert found.umap.shape == (120, 2)
    assert np.isfinite(found.umap).all()


def test_clusters_are_numbered_from_the_largest():
    some = counts(300)[np.r_[0:90, 90:300:3]]
    labels = cluster(components_of(some, 5), RECIPE).leiden["leiden_0.5"]
    sizes = np.bincount(labels.codes)
    assert (np.diff(sizes) <= 0).all()


@pytest.mark.parametrize("below", [10, 50_000])
def test_threads_change_nothing(below):
    recipe = replace(RECIPE, exact_neighbours_below=below, umap_rows=60)
    one, two = (cluster(components_of(counts(), 5, n), recipe, threads=n) for n in (1, 2))
    np.testing.assert_array_equal(one.components, two.components)
    np.testing.assert_array_equal(one.umap, two.umap)
    assert list(one.leiden["leiden_1"]) == list(two.leiden["leiden_1"])


def test_the_number_of_fitted_rows_is_told():
    first = components_of(counts(), 5)
    assert cluster(first, RECIPE).n_fitted == 120
    assert cluster(first, replace(RECIPE, umap_rows=60)).n_fitted == 60


@pytest.mark.parametrize("n", [0, 1, 8])
def test_a_table_smaller_than_a_neighbourhood_is_one_cluster(n):
    found = cluster(components_of(counts()[:n], 5), RECIPE)
    assert list(found.leiden["leiden_1"]) == ["0"] * n
    assert found.umap.shape == (n, 2)
