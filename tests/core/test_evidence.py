"""A cell's own evidence: molecules against cluster profiles, and the opinions of others."""

import numpy as np
import pytest
import scipy.sparse as sp

from sthelar_build.core.evidence import (
    as_likelihoods,
    class_log_posteriors,
    cluster_log_likelihoods,
    contradicted,
    pooled,
    probabilities,
    teaching,
)

# Five cells of gene A in cluster 0, five of gene B in cluster 1; the last cell is in the wrong one.
COUNTS = sp.csr_matrix([[20.0, 1.0]] * 5 + [[1.0, 20.0]] * 4 + [[20.0, 1.0]])
CLUSTERS = np.repeat([0, 1], 5)


def evidence():
    teachers = np.arange(10) < 9
    likely = cluster_log_likelihoods(COUNTS, CLUSTERS, 2, teachers)
    return class_log_posteriors(likely, CLUSTERS, np.array([2, 0]), 3, molecule_weight=0.5)


def test_molecules_name_the_class_of_the_cluster_that_explains_them():
    assert evidence().argmax(axis=1).tolist() == [2] * 5 + [0] * 4 + [2]


def test_only_the_cell_in_the_wrong_cluster_is_contradicted():
    given = np.array([2, 0])[CLUSTERS]
    assert np.flatnonzero(contradicted(evidence(), given, log_odds=2)).tolist() == [9]


def test_a_class_without_a_cluster_is_very_unlikely():
    assert (evidence()[:, 1] == -20).all()


def test_a_missing_opinion_changes_nothing():
    before = np.zeros((2, 3))
    opinion = np.array([[0.5, 0.5, 0.0], [np.nan] * 3])
    after = pooled(before, [opinion])
    np.testing.assert_allclose(after, [np.log([0.5, 0.5, 0.02]), [0, 0, 0]])


def test_probabilities_sum_to_one():
    assert probabilities(evidence()).sum(axis=1) == pytest.approx(np.ones(10))


def test_a_cell_that_teaches_is_left_out_of_its_own_profile():
    counts = sp.csr_matrix([[8.0, 0], [0, 8], [8, 0]])
    clusters = np.array([0, 1, 0])
    likely = cluster_log_likelihoods(counts, clusters, 2, np.array([True, True, False]))
    prior = 0.3 * 2 * np.array([0.5, 0.5])
    profile = np.array([8, 0]) + prior
    assert likely[2, 0] == pytest.approx(8 * np.log(profile[0] / profile.sum()))
    left_out = prior[0] / prior.sum()
    assert likely[0, 0] == pytest.approx(8 * np.log(left_out))


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
