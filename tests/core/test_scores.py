"""Scores are found by object, and a missing row is NaN."""

import numpy as np
import pandas as pd

from sthelar_build.core.scores import Scores, spread, strongest

SCORES = Scores(
    "cell_id", np.array(["a", "b"], dtype=object), ["T", "B"], np.float32([[1, 0], [0, 1]])
)


def test_shares_come_in_the_order_asked_for_and_strangers_have_none():
    found = SCORES.of(pd.Index(["b", "x", "a", "b"]))
    np.testing.assert_array_equal(found, [[0, 1], [np.nan, np.nan], [1, 0], [0, 1]])
    assert found.dtype == np.float32


def test_rows_without_a_number_are_nan():
    np.testing.assert_array_equal(spread(np.array([[7.0]]), np.array([-1, 0])), [[np.nan], [7]])
    np.testing.assert_array_equal(spread(np.empty((0, 1)), np.array([-1, -1])), [[np.nan]] * 2)


def test_a_row_of_nan_has_no_strongest_share():
    assert strongest(np.array([[np.nan, np.nan], [0.2, 0.8]])).tolist() == [-1, 1]
