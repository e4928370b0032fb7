"""Leiden finds what is joined, numbers it from the largest, and repeats itself."""

import numpy as np
import pytest
import scipy.sparse as sp

from sthelar_build.adapters.leiden import from_the_largest, leiden_clusters


def cliques(*sizes):
    """Return rows that are all joined within a clique, and to none outside."""
    return sp.csr_matrix(sp.block_diag([np.ones((n, n)) - np.eye(n) for n in sizes]))


def test_every_clique_is_a_cluster_at_every_resolution():
    found = leiden_clusters(cliques(3, 6, 4), (0.5, 1.0), seed=0)
    for labels in found.values():
        assert list(labels) == ["2"] * 3 + ["0"] * 6 + ["1"] * 4


def test_a_finer_resolution_splits_more():
    rng = np.random.default_rng(0)
    upper = sp.triu(sp.random(60, 60, 0.3, random_state=rng), k=1)
    coarse, fine = leiden_clusters(sp.csr_matrix(upper + upper.T), (0.1, 4.0), seed=0).values()
    assert len(coarse.categories) < len(fine.categories)


def test_weights_count():
    """A ring of four: the two strong edges hold together."""
    ring = sp.csr_matrix([[0, 9, 0, 1], [9, 0, 1, 0], [0, 1, 0, 9], [1, 0, 9, 0]])
    labels = leiden_clusters(ring, (1.0,), seed=0)[1.0]
    assert labels[0] == labels[1] != labels[2]
    assert labels[2] == labels[3]


def test_equal_seeds_give_equal_clusters():
    rng = np.random.default_rng(0)
    upper = sp.triu(sp.random(200, 200, 0.1, random_state=rng), k=1)
    graph = sp.csr_matrix(upper + upper.T)
    one, two = (leiden_clusters(graph, (1.0,), seed=3)[1.0] for _ in range(2))
    assert list(one) == list(two)


def test_rows_that_are_joined_to_none_stay_alone():
    labels = leiden_clusters(sp.csr_matrix((3, 3)), (1.0,), seed=0)[1.0]
    assert sorted(labels) == ["0", "1", "2"]


@pytest.mark.parametrize(("numbers", "names"), [([1, 0, 0], ["1", "0", "0"]), ([5, 7], ["0", "1"])])
def test_the_largest_cluster_is_number_0_and_equals_keep_their_order(numbers, names):
    assert list(from_the_largest(np.array(numbers))) == names
