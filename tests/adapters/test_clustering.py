"""Clusters are those that are there, whatever the number of threads."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.decomposition import PCA

from sthelar_build.adapters.clustering import (
    ClusterRecipe,
    cluster,
    components_of,
    fused_components,
)
from sthelar_build.core.normalise import log_normalise, scale_genes

RECIPE = ClusterRecipe(5, 8, (0.5, 1.0), 50_000, 0)


def counts(n=120, seed=0):
    """Return counts of three types of cells of 40 each, by turns."""
    rng = np.random.default_rng(seed)
    profiles = np.kron(np.eye(3), np.full(5, 3.0)) + 0.2
    return sp.csr_matrix(rng.poisson(profiles[np.arange(n) % 3]).astype(np.float32))


def test_components_are_those_of_the_dense_scaled_matrix():
    found = components_of(counts(), 3, seed=0)
    dense = scale_genes(log_normalise(counts())).toarray()
    expected = PCA(3, svd_solver="full").fit_transform(dense)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-3)


def test_three_types_are_three_clusters():
    found = cluster(components_of(counts(), 5, 0), RECIPE)
    labels = np.asarray(found.leiden["leiden_0.5"])
    assert len(set(labels)) == 3
    assert all(len(set(labels[kind::3])) == 1 for kind in range(3))
    assert found.umap.shape == (120, 2)
    assert np.isfinite(found.umap).all()


def test_clusters_are_numbered_from_the_largest():
    some = counts(300)[np.r_[0:90, 90:300:3]]
    labels = cluster(components_of(some, 5, 0), RECIPE).leiden["leiden_0.5"]
    sizes = np.bincount(labels.codes)
    assert (np.diff(sizes) <= 0).all()


def test_threads_change_nothing():
    first = components_of(counts(), 5, 0)
    one, two = cluster(first, RECIPE, threads=1), cluster(first, RECIPE, threads=2)
    np.testing.assert_array_equal(one.umap, two.umap)
    assert list(one.leiden["leiden_1"]) == list(two.leiden["leiden_1"])


@pytest.mark.slow
def test_approximate_neighbours_find_the_same_types_on_any_number_of_threads():
    some = replace(RECIPE, exact_neighbours_below=10)
    first = components_of(counts(), 5, 0)
    one, two = cluster(first, some, threads=1), cluster(first, some, threads=2)
    np.testing.assert_array_equal(one.umap, two.umap)
    labels = np.asarray(one.leiden["leiden_0.5"])
    assert all(len(set(labels[kind::3])) == 1 for kind in range(3))


def test_fused_blocks_hold_what_either_block_tells():
    """Types 0 and 1 differ in the first block only, types 1 and 2 in the second only."""
    rng = np.random.default_rng(0)
    kind = np.arange(150) % 3
    left = np.where((kind == 0)[:, None], [9.0, 1, 5, 2], [1, 9, 5, 2])
    right = np.where((kind == 2)[:, None], [9.0, 1, 5, 2], [1, 9, 5, 2])
    blocks = [sp.csr_matrix(rng.poisson(block).astype(np.float32)) for block in (left, right)]
    fused = fused_components(*blocks, n=2, seed=0)
    assert fused.shape == (150, 3)
    centres = np.stack([fused[kind == k].mean(axis=0) for k in range(3)])
    apart = np.linalg.norm(centres[:, None] - centres[None], axis=2)[np.triu_indices(3, 1)]
    assert (apart > 1.2).all()


@pytest.mark.parametrize("n", [0, 1, 8])
def test_a_table_smaller_than_a_neighbourhood_is_one_cluster(n):
    found = cluster(components_of(counts()[:n], 5, 0), RECIPE)
    assert list(found.leiden["leiden_1"]) == ["0"] * n
    assert found.umap.shape == (n, 2)
