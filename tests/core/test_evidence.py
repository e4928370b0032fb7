"""A cell's own evidence: molecules against cluster profiles, and the opinions of others."""

import numpy as np
import pytest
import scipy.sparse as sp

from sthelar_build.core.evidence import (
    class_log_posteriors,
    cluster_log_likelihoods,
    contradicted,
    pooled,
    probabilities,
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
