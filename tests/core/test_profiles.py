"""Profiles of clusters, and how well they explain the molecules of cells."""

import numpy as np
import pytest
import scipy.sparse as sp

from sthelar_build.core import profiles
from sthelar_build.core.profiles import ClusterProfiles, cluster_log_likelihoods


def test_a_cell_that_teaches_is_left_out_of_its_own_profile():
    counts = sp.csr_matrix([[8.0, 0], [0, 8], [8, 0]])
    clusters = np.array([0, 1, 0])
    likely = cluster_log_likelihoods(counts, clusters, 2, np.array([True, True, False]))
    prior = 0.3 * 2 * np.array([0.5, 0.5])
    profile = np.array([8, 0]) + prior
    assert likely[2, 0] == pytest.approx(8 * np.log(profile[0] / profile.sum()))
    left_out = prior[0] / prior.sum()
    assert likely[0, 0] == pytest.approx(8 * np.log(left_out))


def test_the_more_clusters_the_fewer_rows_at_a_time(monkeypatch):
    monkeypatch.setattr(profiles, "_MOST_VALUES", 12)
    counts = sp.csr_matrix(np.eye(6))
    found = ClusterProfiles.of(counts, np.arange(6) % 4, 4, np.ones(6, dtype=bool))
    assert [rows for rows, _ in found.log_likelihoods(counts)] == [slice(0, 3), slice(3, 6)]


def test_blocks_do_not_change_a_single_bit(monkeypatch):
    rng = np.random.default_rng(1)
    counts = sp.csr_matrix(rng.poisson(0.5, (50, 20)).astype(float))
    clusters, teachers = rng.integers(0, 7, 50), rng.random(50) < 0.8
    whole = cluster_log_likelihoods(counts, clusters, 7, teachers)
    monkeypatch.setattr(profiles, "_MOST_VALUES", 1)
    np.testing.assert_array_equal(cluster_log_likelihoods(counts, clusters, 7, teachers), whole)
