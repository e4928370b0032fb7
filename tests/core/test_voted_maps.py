"""Predicted instances by their voted type."""

import numpy as np
import pytest

from sthelar_build.core.voted_maps import NO_TYPE, typed_instances, voted_types

MAP = np.array([[3, 3, 0], [8, 20, 20]])


def test_pixels_take_the_type_of_their_instance_and_those_without_an_entry_none():
    found = voted_types(MAP, np.array([3, 20]), np.array([5, 0]))
    assert found.tolist() == [[5, 5, 0], [NO_TYPE, 0, 0]]


def test_only_instances_with_an_entry_and_a_type_count():
    assert typed_instances(MAP, np.array([3, 20]), np.array([5, 0])).tolist() == [
        [3, 3, 0],
        [0] * 3,
    ]


def test_a_map_without_entries_is_a_map_without_instances():
    none = np.zeros(0, dtype=np.int64)
    assert not typed_instances(MAP, none, none).any()


def test_ids_that_the_map_lacks_are_refused():
    with pytest.raises(ValueError, match=r"found \[4\], which it lacks"):
        voted_types(MAP, np.array([4]), np.array([1]))


def test_the_instances_that_count_are_those_of_the_oracle(shared_data):
    from sthelar_build.core.instance_entries import instance_entries

    with np.load(shared_data / "cellvit" / "metric_cases_types.npz") as cases:
        maps = list(
            zip(*(cases[n] for n in ("pred_remapped", "pred_type", "pred_filtered")), strict=True)
        )
    for predicted, types, expected in maps:
        known = instance_entries(predicted, types)
        found = typed_instances(predicted, known.ids, known.type_index)
        np.testing.assert_array_equal(found != 0, expected != 0)
