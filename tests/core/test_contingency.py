"""The table of shared pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sthelar_build.core.contingency import contingency, runs_of

PAIRS = hnp.arrays(np.int64, st.tuples(st.just(2), st.integers(0, 30)), elements=st.integers(0, 3))


def table(true, predicted):
    (first, second), lengths = runs_of(np.array(true), np.array(predicted))
    return contingency(first, second, lengths)


def test_every_pair_that_meets_has_a_row_in_the_order_of_the_ids():
    found = table([5, 5, 2, 0, 0], [0, 9, 9, 9, 0])
    assert found.true_id.tolist() == [0, 0, 2, 5, 5]
    assert found.predicted_id.tolist() == [0, 9, 9, 0, 9]
    assert found.area_px.tolist() == [1, 1, 1, 1, 1]
    assert found.true_area_px.tolist() == [2, 2, 1, 2, 2]
    assert found.predicted_area_px.tolist() == [2, 3, 3, 2, 3]


def test_iou_is_shared_over_covered():
    # The pairs are background-1, 1-background and 1-1.
    assert table([1, 1, 1, 0], [0, 1, 1, 1]).iou().tolist() == [1 / 3, 1 / 3, 1 / 2]


def test_runs_end_where_any_map_changes():
    values, lengths = runs_of(np.array([[1, 1], [1, 1]]), np.array([[0, 0], [0, 7]]))
    assert values.tolist() == [[1, 1], [0, 7]]
    assert lengths.tolist() == [3, 1]


def test_maps_without_pixels_have_no_pairs():
    assert len(table([], []).area_px) == 0


def test_maps_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match=r"one shape, got \(2,\) and \(3,\)"):
        runs_of(np.zeros(2), np.zeros(3))


@given(PAIRS)
def test_the_table_is_that_of_counting_pixels(maps):
    found = table(*maps)
    pairs, counts = np.unique(maps.T, axis=0, return_counts=True)
    np.testing.assert_array_equal(np.stack([found.true_id, found.predicted_id], axis=1), pairs)
    np.testing.assert_array_equal(found.area_px, counts)
    np.testing.assert_array_equal(found.true_area_px, [(maps[0] == i).sum() for i in pairs[:, 0]])
