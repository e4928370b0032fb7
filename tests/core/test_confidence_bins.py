"""Agreement by decile of the confidence: equal values are never told apart."""

from itertools import pairwise

import numpy as np
import pytest

from sthelar_build.core import confidence_bins as module
from sthelar_build.core.confidence_bins import lowest_share


def confidence_bins(values, agrees, codes=None):
    """Return the bins of nuclei of one class, if no other is said."""
    one_class = np.ones(len(values), dtype=np.uint8)
    return module.confidence_bins(values, agrees, one_class if codes is None else codes)


def shares(bins, share=0.3):
    found = lowest_share(bins, share)
    return found and (found.nuclei, found.disagreement)


def test_ten_values_are_ten_bins():
    values = np.arange(10) / 10
    bins = confidence_bins(values, values > 0.25)
    assert [(one.low, one.high, one.n) for one in bins] == [(v, v, 1) for v in values]
    assert [one.n_disagreeing for one in bins] == [1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
    assert bins[0].agreement == 0


def test_every_value_is_in_one_bin_and_the_bins_do_not_overlap():
    values = np.random.default_rng(0).random(997).astype(np.float32)
    bins = confidence_bins(values, values > 0.5)
    assert sum(one.n for one in bins) == 997
    assert all(one.high < other.low for one, other in pairwise(bins))
    assert {one.n for one in bins} <= {99, 100}


def test_equal_values_share_a_bin():
    values = np.array([0.1] + [1.0] * 19)
    bins = confidence_bins(values, np.arange(20) > 1)
    assert [(one.low, one.n) for one in bins] == [(0.1, 1), (1.0, 19)]


def test_nothing_has_no_bins():
    assert confidence_bins(np.zeros(0), np.zeros(0, bool)) == []


def test_the_lowest_bins_hold_their_share_of_the_disagreement():
    values = np.arange(10) / 10
    agrees = ~np.isin(np.arange(10), [0, 1, 9])
    assert shares(confidence_bins(values, agrees)) == pytest.approx((0.3, 2 / 3))


def test_the_share_is_as_near_as_bins_allow():
    values = np.repeat([0.0, 0.1, 0.2, 1.0], [9, 10, 12, 69])
    found = shares(confidence_bins(values, np.zeros(100, bool)))
    assert found == pytest.approx((0.31, 0.31))


def test_the_lowest_bin_counts_however_large_it_is():
    values = np.array([0.0] * 6 + [1.0] * 4)
    agrees = np.array([False] * 3 + [True] * 6 + [False])
    assert shares(confidence_bins(values, agrees)) == pytest.approx((0.6, 0.75))


def test_nothing_is_said_of_one_bin_or_of_full_agreement():
    assert lowest_share(confidence_bins(np.ones(5), np.zeros(5, bool)), 0.3) is None
    assert lowest_share(confidence_bins(np.arange(5), np.ones(5, bool)), 0.3) is None


def test_a_class_that_is_hard_to_name_explains_what_its_doubtful_labels_seem_to():
    values = np.arange(20) / 20
    codes = np.repeat(np.array([1, 2], dtype=np.uint8), 10)
    agrees = codes == 2
    bins = confidence_bins(values, agrees, codes)
    assert [one.expected_agreement for one in bins] == [0] * 5 + [1] * 5
    found = lowest_share(bins, 0.3)
    assert (found.disagreement, found.expected) == pytest.approx((0.6, 0.6))
    mixed = confidence_bins(values, values >= 0.5, np.tile(codes[[0, -1]], 10))
    assert [one.expected_agreement for one in mixed] == pytest.approx([0.5] * 10)
    assert lowest_share(mixed, 0.3).expected == pytest.approx(0.3)
