"""A confusion matrix says what is right, what is missed, and what is taken for what."""

import numpy as np
import pytest

from sthelar_build.core.confusion import (
    Confusion,
    class_scores,
    confusion,
    overall_scores,
    top_confusions,
    without_row,
)

NAMES = ["Background", "A", "B", "C", "Stranger"]
COUNTS = np.array([[1, 6, 3, 0, 0], [0, 2, 2, 0, 0], [0, 0, 0, 0, 0]])
"""Ten of A: one without a type, three taken for B; four of B, two taken for A; none of C."""


def test_pairs_are_counted():
    true, predicted = np.array([1, 1, 2, 2]), np.array([1, 0, 2, 4])
    assert confusion(true, predicted, 3, 5).tolist() == [
        [1, 1, 0, 0, 0],
        [0, 0, 1, 0, 1],
        [0, 0, 0, 0, 0],
    ]


def test_precision_recall_and_f1_of_a_class():
    scores = class_scores(COUNTS)
    assert scores.n.tolist() == [10, 4, 0]
    np.testing.assert_allclose(scores.precision, [6 / 8, 2 / 5, np.nan])
    np.testing.assert_allclose(scores.recall, [0.6, 0.5, np.nan])
    np.testing.assert_allclose(scores.f1, [12 / 18, 4 / 9, np.nan])


def test_means_are_over_the_classes_that_are_there():
    scores = overall_scores(COUNTS)
    assert scores.accuracy == pytest.approx(8 / 14)
    assert scores.balanced_accuracy == pytest.approx(0.55)
    assert scores.macro_f1 == pytest.approx((12 / 18 + 4 / 9) / 2)


def test_a_class_that_is_only_named_is_not_among_the_means():
    counts = np.array([[0, 1, 1, 0], [0, 0, 0, 0]])
    assert overall_scores(counts).balanced_accuracy == 0.5
    assert class_scores(counts).f1[1] == 0


def test_nothing_counted_is_not_defined():
    assert np.isnan(overall_scores(np.zeros((2, 3), dtype=int))).all()


def test_a_class_can_be_left_out():
    assert overall_scores(without_row(COUNTS, 1)).accuracy == 0.6
    assert COUNTS[1].sum() == 4


def test_confusions_are_told_by_share_of_the_true_class():
    assert top_confusions(COUNTS, NAMES, least_share=0.1, least_n=1) == [
        Confusion("B", "A", 2, 0.5),
        Confusion("A", "B", 3, 0.3),
        Confusion("A", "Background", 1, 0.1),
    ]


def test_rare_classes_and_small_shares_are_not_told():
    assert [c.true for c in top_confusions(COUNTS, NAMES, 0.2, 5)] == ["A"]
    assert top_confusions(np.array([[0, 5, 0], [0, 0, 5]]), NAMES, 0.0, 1) == []
