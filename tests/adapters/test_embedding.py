"""UMAP of all rows, or of some with the others between their neighbours."""

import numpy as np
import pytest
import scipy.sparse as sp

from sthelar_build.adapters.embedding import EmbeddingRecipe, between_neighbours, embed
from sthelar_build.adapters.neighbours import neighbour_graph


def chain(n):
    """Return a graph in which every row is joined to the one before and the one behind it."""
    return sp.csr_matrix(sp.diags_array([np.ones(n - 1)] * 2, offsets=[-1, 1]))


def test_an_unknown_row_lies_at_the_weighted_mean_of_its_known_neighbours():
    graph = sp.csr_matrix([[0, 0, 3], [0, 0, 1], [3, 1, 0.0]])
    places = np.array([[4, 0], [0, 8], [99, 99]], dtype=np.float32)
    found = between_neighbours(places, np.array([True, True, False]), graph)
    assert found.tolist() == [[4, 0], [0, 8], [3, 2]]
    assert places[2].tolist() == [99, 99]


def test_rows_far_from_any_known_one_follow_step_by_step():
    known = np.array([True, False, False, False])
    places = np.array([[1, 2], [0, 0], [0, 0], [0, 0]], dtype=np.float32)
    assert between_neighbours(places, known, chain(4)).tolist() == [[1, 2]] * 4


@pytest.fixture(scope="module")
def three_clouds():
    """Return 90 points in three clouds far apart, and their graph."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(90, 4)) + 30 * np.eye(4)[np.arange(90) % 3]
    points = points.astype(np.float32)
    return points, neighbour_graph(points, 6, 0, exact=True)


def test_the_sample_keeps_the_clouds_apart_and_places_every_row(three_clouds):
    places, fitted = embed(*three_clouds, EmbeddingRecipe(6, 1000, 45, 0))
    assert fitted.sum() == 45
    assert np.isfinite(places).all()
    centres = np.stack([places[kind::3].mean(axis=0) for kind in range(3)])
    apart = np.linalg.norm(centres[:, None] - centres[None], axis=2)[np.triu_indices(3, 1)]
    spread = max(places[kind::3].std(axis=0).max() for kind in range(3))
    assert apart.min() > 3 * spread


def test_a_part_that_the_sample_missed_is_fitted_too():
    """Rows 40 and 41 are joined to each other only; whatever the draw, one of them is known."""
    points = np.random.default_rng(0).normal(size=(42, 3)).astype(np.float32)
    graph = sp.csr_matrix(sp.block_diag([chain(40), chain(2)]))
    for seed in range(4):
        places, fitted = embed(points, graph, EmbeddingRecipe(5, 1000, 12, seed))
        assert fitted[40:].any()
        assert np.isfinite(places).all()


def test_a_small_table_is_fitted_whole(three_clouds):
    places, fitted = embed(*three_clouds, EmbeddingRecipe(6, 1000, 90, 0))
    assert fitted.all()
    assert places.shape == (90, 2)
