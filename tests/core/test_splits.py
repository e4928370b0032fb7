"""A random split, and the nuclei that no two splits may show."""

import numpy as np

from sthelar_build.core.splits import assign_at_random, share_costs, without_shared_nuclei

SHARES = (0.6, 0.2, 0.2)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_a_nucleus_seen_across_a_cut_leaves_the_larger_split():
    splits = np.array([0, 0, 0, 1, 1], dtype=np.int8)
    kept = without_shared_nuclei(splits, np.array([0, 2, 3, 4]), np.array([7, 9, 9, 8]))
    np.testing.assert_array_equal(kept, [0, 0, -1, 1, 1])


def test_shuffled_patches_have_the_shares():
    splits = assign_at_random(np.zeros(400), SHARES, rng())
    np.testing.assert_array_equal(np.bincount(splits), [240, 80, 80])
    assert (np.diff(splits) != 0).sum() > 100


def test_every_stratum_is_shuffled_by_itself():
    strata = np.repeat([0, 1], [390, 10])
    splits = assign_at_random(strata, SHARES, rng())
    np.testing.assert_array_equal(np.bincount(splits[strata == 1]), [6, 2, 2])
    np.testing.assert_array_equal(np.bincount(splits[strata == 0]), [234, 78, 78])
    assert len(assign_at_random(strata[:0], SHARES, rng())) == 0


def test_the_cost_sums_squared_deviations_by_weight():
    amounts = np.array([[[0.6, 0.5], [0.2, 0.3], [0.2, 0.2]], [[1, 1], [0, 0], [0, 0]]])
    np.testing.assert_allclose(share_costs(amounts, SHARES, np.array([1.0, 2.0])), [0.04, 0.72])
