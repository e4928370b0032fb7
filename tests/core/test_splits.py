"""Splits without leaks, and an audit that sees every leak."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sthelar_build.core.splits import (
    assign_at_random,
    assign_bands,
    assign_groups,
    patches_sharing_pixels,
    shared_between_splits,
    without_shared_nuclei,
)

SHARES = (0.6, 0.2, 0.2)


def rng(seed=0):
    return np.random.default_rng(seed)


def grid(columns, rows, stride=192):
    y, x = np.mgrid[:rows, :columns] * stride
    return x.ravel(), y.ravel()


def test_groups_share_out_every_feature():
    patches = np.array([30.0, 20, 10, 10, 10, 10, 10])
    rare = np.array([0.0, 6, 0, 2, 0, 2, 0])
    splits = assign_groups(np.stack([patches, rare], axis=1), SHARES, rng())
    assert [patches[splits == s].sum() for s in range(3)] == [60, 20, 20]
    assert [rare[splits == s].sum() for s in range(3)] == [6, 2, 2]


@pytest.mark.parametrize("seed", range(5))
def test_three_groups_leave_no_split_empty_and_the_largest_trains(seed):
    splits = assign_groups(np.array([[1.0], [50.0], [2.0]]), SHARES, rng(seed))
    assert sorted(splits) == [0, 1, 2]
    assert splits[1] == 0


def test_features_that_nobody_has_do_not_matter():
    with_nothing = np.array([[6.0, 0], [2, 0], [2, 0]])
    assert sorted(assign_groups(with_nothing, SHARES, rng())) == [0, 1, 2]


def test_bands_have_the_shares_and_a_gap_of_the_guard():
    x, y = grid(40, 10)
    splits = assign_bands(x, y, 256, SHARES, 64, rng())
    kept = splits >= 0
    shares = np.bincount(splits[kept], minlength=3) / kept.sum()
    np.testing.assert_allclose(shares, SHARES, atol=0.03)
    for one in range(3):
        for other in range(3):
            if x[splits == one].max() < x[splits == other].min():
                assert x[splits == other].min() - (x[splits == one].max() + 256) >= 64
    assert kept.mean() > 0.85
    assert all(len(np.unique(splits[x == column])) == 1 for column in np.unique(x))


def test_bands_run_across_the_longer_axis():
    x, y = grid(3, 40)
    splits = assign_bands(x, y, 256, SHARES, 64, rng())
    assert all(len(np.unique(splits[y == row])) == 1 for row in np.unique(y))


def test_a_slide_of_five_columns_still_gets_all_three_splits():
    x, y = grid(5, 1)
    splits = assign_bands(x, y, 256, SHARES, 64, rng())
    assert sorted(splits[splits >= 0]) == [0, 1, 2]


def test_a_slide_too_small_for_bands_trains():
    x, y = grid(2, 2)
    np.testing.assert_array_equal(assign_bands(x, y, 256, SHARES, 64, rng()), 0)
    assert len(assign_bands(x[:0], y[:0], 256, SHARES, 64, rng())) == 0


@settings(max_examples=60, deadline=None)
@given(
    columns=st.integers(1, 25),
    rows=st.integers(1, 6),
    side=st.integers(150, 500),
    guard=st.integers(0, 200),
    seed=st.integers(0, 99),
)
def test_bands_never_share_a_pixel(columns, rows, side, guard, seed):
    x, y = grid(columns, rows)
    holes = rng(seed).random(len(x)) < 0.8
    x, y = x[holes], y[holes]
    splits = assign_bands(x, y, side, SHARES, guard, rng(seed))
    assert patches_sharing_pixels(x, y, side, splits) == 0


def test_a_nucleus_seen_across_a_cut_leaves_the_larger_split():
    splits = np.array([0, 0, 0, 1, 1], dtype=np.int8)
    patch_row = np.array([0, 2, 3, 4])
    nucleus = np.array([7, 9, 9, 8])
    kept = without_shared_nuclei(splits, patch_row, nucleus)
    np.testing.assert_array_equal(kept, [0, 0, -1, 1, 1])
    assert shared_between_splits(splits[patch_row], nucleus) == 1
    assert shared_between_splits(kept[patch_row], nucleus) == 0


def test_the_audit_counts_patches_that_overlap_by_one_pixel_and_not_those_that_touch():
    y = np.zeros(2, dtype=int)
    splits = np.array([0, 1], dtype=np.int8)
    assert patches_sharing_pixels(np.array([0, 256]), y, 256, splits) == 0
    assert patches_sharing_pixels(np.array([0, 255]), y, 256, splits) == 2
    assert patches_sharing_pixels(np.array([0, 255]), y, 256, np.array([0, -1])) == 0
    assert patches_sharing_pixels(np.array([0, 0]), np.array([0, 300]), 256, splits) == 0


def test_shuffled_patches_have_the_shares_and_leak():
    x, y = grid(20, 20)
    splits = assign_at_random(400, SHARES, rng())
    np.testing.assert_array_equal(np.bincount(splits), [240, 80, 80])
    assert patches_sharing_pixels(x, y, 256, splits) > 200


def test_owners_in_two_splits_are_counted_once():
    splits = np.array([0, 1, 2, 0, -1], dtype=np.int8)
    assert shared_between_splits(splits, ["a", "a", "a", "b", "b"]) == 1
    assert shared_between_splits(splits[:0], []) == 0


def test_the_same_seed_gives_the_same_splits():
    x, y = grid(30, 5)
    one, two = (assign_bands(x, y, 256, SHARES, 64, rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one, two)
