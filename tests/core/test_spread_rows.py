"""Samples in which every group has its part."""

import numpy as np

from sthelar_build.core.spread_rows import spread_rows


def test_few_rows_are_all_there_in_random_order():
    rows = spread_rows(np.zeros(50, int), most=50, least_each=1, seed=1)
    assert sorted(rows) == list(range(50))
    assert rows.tolist() != list(range(50))


def test_of_many_some_are_taken_and_small_groups_keep_their_part():
    group = np.array([0] * 10_000 + [1] * 3 + [2] * 40)
    rows = spread_rows(group, most=500, least_each=5, seed=0)
    counts = np.bincount(group[rows])
    assert counts[1] == 3
    assert counts[2] >= 5
    assert 500 <= len(rows) <= 508
    assert len(set(rows.tolist())) == len(rows)


def test_a_first_part_is_a_sample_of_all_places():
    rows = spread_rows(np.zeros(10_000, int), most=1000, least_each=1, seed=3)
    assert abs(rows[:100].mean() - 5000) < 1000


def test_the_same_seed_gives_the_same_rows():
    group = np.arange(1000) % 7
    assert (spread_rows(group, 100, 2, 5) == spread_rows(group, 100, 2, 5)).all()
