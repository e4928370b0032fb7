"""Principal components from the sparse covariance equal the dense ones, whatever the number of threads."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.decomposition import PCA

from sthelar_build.adapters import components
from sthelar_build.adapters.components import components_of, fused_components
from sthelar_build.core.normalise import GeneScale, log_normalise


def counts(n=120, seed=0):
    """Return counts of three types of cells of 40 each, by turns."""
    rng = np.random.default_rng(seed)
    profiles = np.kron(np.eye(3), np.full(5, 3.0)) + 0.2
    return sp.csr_matrix(rng.poisson(profiles[np.arange(n) % 3]).astype(np.float32))


def test_components_are_those_of_the_dense_scaled_matrix():
    dense = GeneScale.of(counts())(log_normalise(counts())).toarray()
    expected = PCA(3, svd_solver="full").fit_transform(dense)
    found = components_of(counts(), 3)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-4)


def test_the_largest_loading_of_a_component_is_positive():
    """Gene 0 sets the even rows apart and varies alone: the component rises with it."""
    table = np.full((40, 3), 4.0)
    table[::2, 0] = 30
    first = components_of(sp.csr_matrix(table + np.eye(40, 3)), 1)[:, 0]
    dense = GeneScale.of(sp.csr_matrix(table + np.eye(40, 3)))
    logged = dense(log_normalise(sp.csr_matrix(table + np.eye(40, 3)))).toarray()
    loadings = np.linalg.lstsq(logged - logged.mean(axis=0), first, rcond=None)[0]
    assert loadings[np.abs(loadings).argmax()] > 0


def test_blocks_and_threads_change_nothing(monkeypatch):
    whole = components_of(counts(), 4)
    np.testing.assert_array_equal(components_of(counts(), 4, threads=3), whole)
    monkeypatch.setattr(components, "_BLOCK_ROWS", 7)
    np.testing.assert_allclose(components_of(counts(), 4), whole, atol=1e-5)


@pytest.mark.parametrize("shape", [(0, 5), (1, 5), (4, 1)])
def test_what_has_no_components_gets_one_column_of_zeros(shape):
    assert components_of(sp.csr_matrix(shape, dtype=np.float32), 3).tolist() == [[0]] * shape[0]


def test_fused_blocks_hold_what_either_block_tells():
    """Types 0 and 1 differ in the first block only, types 1 and 2 in the second only."""
    rng = np.random.default_rng(0)
    kind = np.arange(150) % 3
    left = np.where((kind == 0)[:, None], [9.0, 1, 5, 2], [1, 9, 5, 2])
    right = np.where((kind == 2)[:, None], [9.0, 1, 5, 2], [1, 9, 5, 2])
    blocks = [sp.csr_matrix(rng.poisson(block).astype(np.float32)) for block in (left, right)]
    fused = fused_components(*blocks, n=2)
    assert fused.shape == (150, 3)
    centres = np.stack([fused[kind == k].mean(axis=0) for k in range(3)])
    apart = np.linalg.norm(centres[:, None] - centres[None], axis=2)[np.triu_indices(3, 1)]
    assert (apart > 1.2).all()


def test_fused_components_are_those_of_both_blocks_side_by_side():
    first, second = counts(seed=1), counts(seed=2)
    blocks = [components_of(block, 3) for block in (first, second)]
    both = np.hstack([block / block[:, 0].std(ddof=1) for block in blocks])
    expected = PCA(5, svd_solver="full").fit_transform(both)
    found = fused_components(first, second, n=3)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-4)
