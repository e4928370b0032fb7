"""Whole groups are shared out in every feature at once."""

import numpy as np
import pytest

from sthelar_build.core.split_groups import assign_groups

SHARES = (0.6, 0.2, 0.2)


def rng(seed=0):
    return np.random.default_rng(seed)


def shares_of(feature, splits):
    return np.array([feature[splits == s].sum() for s in range(3)]) / feature.sum()


def test_groups_share_out_every_feature():
    patches = np.array([30.0, 20, 10, 10, 10, 10, 10])
    rare = np.array([0.0, 6, 0, 2, 0, 2, 0])
    splits = assign_groups(np.stack([patches, rare], axis=1), SHARES, rng())
    assert [patches[splits == s].sum() for s in range(3)] == [60, 20, 20]
    assert [rare[splits == s].sum() for s in range(3)] == [6, 2, 2]


def test_a_feature_of_more_weight_comes_nearer_to_its_shares():
    features = np.array([[6.0, 2], [2, 6], [2, 2]])
    first = assign_groups(features, SHARES, rng(), np.array([1.0, 0.01]))
    second = assign_groups(features, SHARES, rng(), np.array([0.01, 1.0]))
    off = [[np.abs(shares_of(f, s) - SHARES).max() for f in features.T] for s in (first, second)]
    assert off[0][0] < off[1][0]
    assert off[1][1] < off[0][1]


@pytest.mark.parametrize("seed", range(5))
def test_thirty_one_slides_share_out_their_rarest_class(seed):
    features = rng(seed).lognormal(0, 1.2, (31, 10))
    rarest = np.where(rng(seed + 50).random(31) < 0.4, features[:, 0], 0)
    features = np.column_stack([features, rarest])
    weights = np.append(np.full(10, 0.1), 1.0)
    splits = assign_groups(features, SHARES, rng(seed), weights)
    assert shares_of(rarest, splits) == pytest.approx(SHARES, abs=0.07)


@pytest.mark.parametrize("seed", range(5))
def test_three_groups_leave_no_split_empty_and_the_largest_trains(seed):
    splits = assign_groups(np.array([[1.0], [50.0], [2.0]]), SHARES, rng(seed))
    assert sorted(splits) == [0, 1, 2]
    assert splits[1] == 0


def test_features_that_nobody_has_do_not_matter_and_no_groups_are_no_splits():
    with_nothing = np.array([[6.0, 0], [2, 0], [2, 0]])
    assert sorted(assign_groups(with_nothing, SHARES, rng())) == [0, 1, 2]
    assert len(assign_groups(with_nothing[:0], SHARES, rng())) == 0


def test_many_groups_are_moved_one_by_one():
    features = rng().lognormal(0, 1, (300, 3))
    splits = assign_groups(features, SHARES, rng())
    for feature in features.T:
        assert shares_of(feature, splits) == pytest.approx(SHARES, abs=0.02)
