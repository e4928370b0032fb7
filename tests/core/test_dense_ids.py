"""Ids of a map as 1..n."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sthelar_build.core.dense_ids import dense_ids


def test_ids_are_ascending_and_the_map_counts_them():
    ids, dense = dense_ids(np.array([[9, 0, 4], [4, 4, 70]]))
    assert ids.tolist() == [4, 9, 70]
    assert dense.tolist() == [[2, 0, 1], [1, 1, 3]]


def test_ids_may_be_huge_and_negative():
    ids, dense = dense_ids(np.array([2**62, -5, 0, 2**62]))
    assert ids.tolist() == [-5, 2**62]
    assert dense.tolist() == [2, 1, 0, 2]


def test_unsigned_ids_keep_their_value():
    assert dense_ids(np.array([0xFFFFFFFF, 1], dtype=np.uint32))[0].tolist() == [1, 0xFFFFFFFF]


def test_a_map_without_ids_has_none():
    ids, dense = dense_ids(np.zeros((2, 2), dtype=bool))
    assert (len(ids), dense.tolist()) == (0, [[0, 0], [0, 0]])
    assert dense_ids(np.zeros((0, 4), dtype=int))[1].shape == (0, 4)


@given(
    hnp.arrays(
        np.int64, st.integers(0, 40), elements=st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3)
    )
)
def test_ids_and_map_give_the_values_back(values):
    ids, dense = dense_ids(values)
    np.testing.assert_array_equal(np.append(0, ids)[dense], values)
    np.testing.assert_array_equal(ids, np.setdiff1d(values, [0]))
