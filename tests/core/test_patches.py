"""Maps of one patch, on arrays that can be read by eye."""

import tracemalloc

import numpy as np
import pytest

from sthelar_build.core.patches import (
    class_channels,
    class_counts,
    counters,
    maps_of_channels,
    renumbered,
    type_map,
)


def ids(*values):
    return np.array(values, dtype=np.uint32)


DENSE = np.array([[1, 1, 0], [0, 2, 3]], dtype=np.int32)
CLASS_OF = np.array([6, 1, 6], dtype=np.uint8)


def test_ids_become_dense_in_ascending_order_and_background_stays():
    instances = np.array([[0, 0xFFFFFFFF], [17, 17]], dtype=np.uint32)
    dense = renumbered(instances, ids(17, 0xFFFFFFFF))
    np.testing.assert_array_equal(dense, [[0, 2], [1, 1]])
    assert dense.dtype == np.int32


def test_a_map_without_background_and_one_without_nuclei_are_renumbered_too():
    np.testing.assert_array_equal(renumbered(ids([5, 9]), ids(5, 9)), [[1, 2]])
    assert not renumbered(np.zeros((2, 2), dtype=np.uint32), ids()).any()


@pytest.mark.parametrize("known", [ids(5), ids(5, 9, 10), ids(9, 10), ids()])
def test_ids_that_the_map_lacks_or_that_it_alone_has_are_refused(known):
    with pytest.raises(ValueError, match="found others"):
        renumbered(ids([5, 9]), known)


def test_every_pixel_gets_the_class_of_its_nucleus():
    np.testing.assert_array_equal(type_map(DENSE, CLASS_OF), [[6, 6, 0], [0, 1, 6]])
    assert not type_map(np.zeros((2, 2), np.int32), np.array([], np.uint8)).any()


def test_instances_are_counted_within_their_class():
    np.testing.assert_array_equal(counters(CLASS_OF), [1, 1, 2])


def test_ten_thousand_nuclei_in_a_patch_are_numbered_in_little_memory():
    class_of = np.tile(np.array([3, 7], np.uint8), 5_000)
    tracemalloc.start()
    numbers = counters(class_of)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert numbers[:4].tolist() == [1, 1, 2, 2]
    assert numbers[-1] == 5_000
    assert peak_bytes < 2**20


def test_pannuke_channels_hold_counters_and_the_last_one_is_the_background_flag():
    channels = class_channels(DENSE, CLASS_OF, 9, np.dtype(np.uint16))
    assert channels.shape == (2, 3, 10)
    assert channels.dtype == np.uint16
    np.testing.assert_array_equal(channels[..., 5], [[1, 1, 0], [0, 0, 2]])
    np.testing.assert_array_equal(channels[..., 0], [[0, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(channels[..., 9], [[0, 0, 1], [1, 0, 0]])
    assert not channels[..., [1, 2, 3, 4, 6, 7, 8]].any()


def test_nuclei_are_counted_per_patch_and_class():
    counts = class_counts(np.array([0, 0, 2]), np.array([6, 6, 1], np.uint8), 3, 9)
    assert counts[0, 5] == 2
    assert counts[2, 0] == 1
    assert counts.sum() == 3


def test_pannuke_channels_become_maps_again_with_the_instances_numbered_class_by_class():
    channels = class_channels(DENSE, CLASS_OF, 9, np.dtype(np.uint16))
    instances, types = maps_of_channels(channels)
    np.testing.assert_array_equal(instances, [[2, 2, 0], [0, 1, 3]])
    np.testing.assert_array_equal(types, [[6, 6, 0], [0, 1, 6]])
    assert (instances.dtype, types.dtype) == (np.int32, np.uint8)


def test_pannuke_channels_without_a_nucleus_become_empty_maps():
    channels = np.zeros((2, 2, 3), dtype=np.uint16)
    channels[..., 2] = 1
    assert not any(part.any() for part in maps_of_channels(channels))
