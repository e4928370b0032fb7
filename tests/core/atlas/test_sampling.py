"""Samples keep rare labels whole and take no donor for all."""

import numpy as np
import pytest

from sthelar_build.core.atlas.sampling import stratified_rows


def test_a_rare_label_is_taken_whole_and_a_common_one_up_to_the_cap():
    labels = np.array([0] * 50 + [1] * 2 + [0] * 50)
    rows = stratified_rows(labels, 5, seed=0)
    assert np.bincount(labels[rows]).tolist() == [5, 2]
    assert rows.tolist() == sorted(set(rows.tolist()))


def test_all_cells_are_taken_if_the_cap_allows_it():
    assert stratified_rows(np.array([1, 0, 1, 2]), 10, seed=3).tolist() == [0, 1, 2, 3]


def test_cells_without_a_label_are_never_taken():
    assert stratified_rows(np.array([-1, 0, -1, 1]), 10, seed=0).tolist() == [1, 3]
    assert stratified_rows(np.array([-1, -1]), 10, seed=0).tolist() == []
    assert stratified_rows(np.array([-1]), 10, seed=0, donors=np.array([0])).tolist() == []


@pytest.mark.parametrize("seed", range(5))
def test_donors_are_taken_in_turns_however_many_cells_each_has(seed):
    donors = np.array([0] * 90 + [1] * 8 + [2] * 2)
    rows = stratified_rows(np.zeros(100, dtype=int), 12, seed, donors)
    assert np.bincount(donors[rows]).tolist() == [5, 5, 2]


def test_donors_are_spread_within_every_label():
    labels = np.tile([0, 1], 50)
    donors = np.repeat([0, 1, 2, 3, 4], 20)
    rows = stratified_rows(labels, 5, 0, donors)
    for label in (0, 1):
        assert sorted(donors[rows[labels[rows] == label]]) == [0, 1, 2, 3, 4]


def test_cells_of_no_known_donor_are_one_donor_more():
    donors = np.array([0] * 10 + [-1] * 10)
    rows = stratified_rows(np.zeros(20, dtype=int), 4, 0, donors)
    assert sorted(donors[rows]) == [-1, -1, 0, 0]


def test_the_seed_decides_and_nothing_else():
    labels = np.zeros(100, dtype=int)
    first = stratified_rows(labels, 10, 1).tolist()
    assert stratified_rows(labels, 10, 1).tolist() == first
    assert stratified_rows(labels, 10, 2).tolist() != first


def test_every_cell_has_the_same_chance():
    taken = np.zeros(20)
    for seed in range(400):
        taken[stratified_rows(np.zeros(20, dtype=int), 5, seed)] += 1
    # 100 expected each, with a standard deviation of 9.
    assert taken.min() > 60
    assert taken.max() < 140
