"""Panoptic quality by class."""

import numpy as np
import pytest

from sthelar_build.core.class_quality import class_quality, nan_mean
from sthelar_build.core.instance_entries import instance_entries
from sthelar_build.core.voted_maps import voted_types

ONE = (1 / (1 + 1e-6)) ** 2


def rows(*values):
    return np.array(values, dtype=np.int64)


def test_every_case_of_the_oracle_is_equal_to_the_last_bit(shared_data):
    with np.load(shared_data / "cellvit" / "metric_cases_types.npz") as cases:
        names = ("true_remapped", "true_type", "pred_remapped", "pred_type")
        maps = zip(*(cases[name] for name in names), strict=True)
        expected, valid = cases["class_pq"], cases["valid"]
    found = np.stack([pq_of(*one) for one in maps])
    np.testing.assert_array_equal(found[valid], expected[valid])


def pq_of(true, true_types, predicted, predicted_types):
    known = instance_entries(predicted, predicted_types)
    voted = voted_types(predicted, known.ids, known.type_index)
    return class_quality(true, true_types, predicted, voted, 6).pq


def test_a_nucleus_of_another_class_is_missed_in_one_and_spurious_in_the_other():
    true, predicted = rows([1, 1, 0, 2, 2]), rows([1, 1, 0, 2, 2])
    found = class_quality(true, rows([1, 1, 0, 2, 2]), predicted, rows([1, 1, 0, 1, 1]), 3)
    assert found.pq[1] == pytest.approx(ONE / 1.5, abs=1e-5)
    assert found.pq[2] == 0
    assert np.isnan(found.pq[0])
    assert found.dq[1] * found.sq[1] == found.pq[1]


def test_an_instance_of_two_classes_is_one_instance_in_each():
    true = rows([4, 4, 4, 0])
    found = class_quality(true, rows([1, 2, 2, 0]), true, rows([2, 2, 2, 0]), 3)
    # Two of three pixels shared in class 2; in class 1 nothing is predicted.
    assert found.sq[2] == pytest.approx(2 / 3, abs=1e-5)
    assert found.pq[1] == 0


def test_instances_without_a_type_are_not_predicted():
    true = rows([1, 1, 0])
    found = class_quality(true, rows([1, 1, 0]), true, rows([-1, -1, 0]), 2)
    assert found.pq[1] == 0


def test_a_class_of_one_instance_on_every_pixel_is_not_defined():
    full = np.ones((2, 2), dtype=int)
    assert np.isnan(class_quality(full, full, full, full, 2).pq).all()
    halves = rows([1, 1], [2, 2])
    assert class_quality(halves, halves, halves, halves, 3).pq[1] == pytest.approx(ONE)


def test_the_means_leave_out_what_is_not_defined():
    true = rows([1, 1, 0, 2, 2])
    found = class_quality(true, rows([1, 1, 0, 2, 2]), true, rows([1, 1, 0, 1, 1]), 3)
    assert found.mean().pq == pytest.approx(ONE / 3, abs=1e-5)
    nothing = class_quality(true * 0, true * 0, true, true, 3)
    assert np.isnan(nothing.mean()).all()
    assert np.isnan(nan_mean(np.array([np.nan])))


def test_classes_beyond_the_number_are_refused():
    one = rows([1, 0])
    with pytest.raises(ValueError, match="expected classes 0 to 1, got 5"):
        class_quality(one, one * 5, one, one, 2)
