"""A cell's own evidence: molecules against cluster profiles, and the opinions of others."""

import numpy as np
import pytest
import scipy.sparse as sp

from sthelar_build.core import profiles
from sthelar_build.core.evidence import (
    as_likelihoods,
    contradicted,
    log_shares,
    molecular_evidence,
    pooled,
    probabilities,
    teaching,
)
from sthelar_build.core.profiles import ClusterProfiles, cluster_log_likelihoods

# Five cells of gene A in cluster 0, five of gene B in cluster 1; the last cell is in the wrong one.
COUNTS = sp.csr_matrix([[20.0, 1.0]] * 5 + [[1.0, 20.0]] * 4 + [[20.0, 1.0]])
CLUSTERS = np.repeat([0, 1], 5)


CLASSES = np.array([2, 0])


def molecules(class_of=CLASSES, clusters=CLUSTERS):
    teachers = np.arange(10) < 9
    n_clusters = len(class_of)
    shares = log_shares(clusters, n_clusters)
    found = ClusterProfiles.of(COUNTS, clusters, n_clusters, teachers)
    return molecular_evidence(COUNTS, found, shares, class_of, 3, molecule_weight=0.5)


def evidence():
    return molecules().log_posteriors


def test_molecules_name_the_class_of_the_cluster_that_explains_them():
    assert evidence().argmax(axis=1).tolist() == [2] * 5 + [0] * 4 + [2]


def test_only_the_cell_in_the_wrong_cluster_is_contradicted():
    given = np.array([2, 0])[CLUSTERS]
    assert np.flatnonzero(contradicted(evidence(), given, log_odds=2)).tolist() == [9]


def test_a_class_without_a_cluster_is_very_unlikely():
    assert (evidence()[:, 1] == -20).all()


def test_the_likeliest_cluster_of_a_class_explains_the_cell_best():
    # Clusters 0 and 2 are of class 2: of gene A, and of gene B; cluster 1 was not decided.
    clusters = np.array([0, 0, 0, 0, 1, 2, 2, 2, 2, 1])
    found = molecules(np.array([2, -1, 2]), clusters)
    assert found.likeliest[:, 2].tolist() == [0] * 5 + [2] * 4 + [0]
    assert (found.likeliest[:, :2] == 0).all()


@pytest.mark.parametrize("most_values", [1, 40, 2**22])
def test_it_is_the_formula_over_all_cells_and_clusters_at_once(monkeypatch, most_values):
    rng = np.random.default_rng(2)
    counts = sp.csr_matrix(rng.poisson(0.5, (60, 20)).astype(float))
    clusters, class_of = rng.integers(0, 9, 60), np.array([0, 1, 2, 0, 1, 2, 0, 1, -1])
    likely = cluster_log_likelihoods(counts, clusters, 9, np.ones(60, dtype=bool))
    sizes = np.bincount(clusters, minlength=9)
    joint = np.exp(0.5 * likely) * sizes / 60
    by_class = np.stack([joint[:, class_of == number].sum(axis=1) for number in range(3)], axis=1)
    expected = np.log(by_class / by_class.sum(axis=1, keepdims=True))
    monkeypatch.setattr(profiles, "_MOST_VALUES", most_values)
    found = ClusterProfiles.of(counts, clusters, 9, np.ones(60, dtype=bool))
    seen = molecular_evidence(counts, found, log_shares(clusters, 9), class_of, 3, 0.5)
    np.testing.assert_allclose(seen.log_posteriors, np.maximum(expected, -20), rtol=1e-9)
    inside = np.where(class_of[None, :] == np.arange(3)[:, None], likely[:, None, :], -np.inf)
    np.testing.assert_array_equal(seen.likeliest, inside.argmax(axis=2))


def test_a_missing_opinion_changes_nothing():
    before = np.zeros((2, 3))
    opinion = np.array([[0.5, 0.5, 0.0], [np.nan] * 3])
    after = pooled(before, [opinion])
    np.testing.assert_allclose(after, [np.log([0.5, 0.5, 0.02]), [0, 0, 0]])


def test_probabilities_sum_to_one():
    assert probabilities(evidence()).sum(axis=1) == pytest.approx(np.ones(10))


def test_all_teach_where_too_few_agree():
    agreeing = np.array([True, False, False, False, False, False, True, False])
    clusters = np.array([0, 0, 0, 0, 0, 0, 1, 1])
    assert teaching(agreeing, clusters, 3).tolist() == [True] * 6 + [True, False]


def test_an_opinion_that_is_never_wrong_keeps_its_shares():
    shares = np.repeat(np.eye(2), 5, axis=0)
    seen = as_likelihoods(shares, np.repeat([0, 1], 5), np.ones(10, dtype=bool))
    np.testing.assert_allclose(seen, shares)


def test_the_word_for_a_class_that_the_atlas_lacks_speaks_for_both():
    # Class 1 is not in the atlas: its 60 cells are taken for class 0. Twenty are presumed to be named rightly.
    shares = np.tile([1.0, 0.0], (80, 1))
    given = np.repeat([0, 1], [20, 60])
    seen = as_likelihoods(shares, given, np.ones(80, dtype=bool))
    np.testing.assert_allclose(seen[0], [1, 60 / 80])


def test_undecided_cells_and_silent_opinions_teach_nothing():
    shares = np.array([[1.0, 0.0], [np.nan, np.nan], [0.0, 1.0]])
    seen = as_likelihoods(shares, np.array([1, 1, 1]), np.array([False, True, True]))
    np.testing.assert_allclose(seen, [[1, 0], [np.nan, np.nan], [0, 1]])
