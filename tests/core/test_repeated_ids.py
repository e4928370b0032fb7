"""An id that comes twice is told, in whatever batch; ids far apart do not fill the memory."""

import numpy as np

from sthelar_build.core import repeated_ids
from sthelar_build.core.repeated_ids import RepeatedIds

START = 2**48


def ids(*numbers):
    return np.array(numbers, dtype=np.uint64)


def test_ids_that_differ_pass_in_any_order():
    watch = RepeatedIds()
    order = np.random.default_rng(0).permutation(300_000).astype(np.uint64) + np.uint64(START)
    assert [watch.first_repeated(part) for part in np.split(order, 3)] == [None] * 3
    assert watch.is_whole


def test_an_id_twice_in_a_batch_is_told():
    assert RepeatedIds().first_repeated(ids(7, START, 3, START)) == START


def test_an_id_of_an_earlier_batch_is_told():
    watch = RepeatedIds()
    assert watch.first_repeated(ids(2**64 - 1, 65536, 65535)) is None
    assert watch.first_repeated(ids(65537, 65534)) is None
    assert watch.first_repeated(ids(5, 65536)) == 65536
    assert watch.first_repeated(ids(2**64 - 1)) == 2**64 - 1


def test_an_empty_batch_has_none():
    assert RepeatedIds().first_repeated(ids()) is None


def test_ids_far_apart_are_compared_within_their_batch_only(monkeypatch):
    monkeypatch.setattr(repeated_ids, "_MOST_PAGES", 2)
    watch = RepeatedIds()
    assert watch.first_repeated(ids(0, 10**9)) is None
    assert watch.is_whole
    assert watch.first_repeated(ids(10**12)) is None
    assert not watch.is_whole
    assert watch.first_repeated(ids(10**12)) is None
    assert watch.first_repeated(ids(10**9)) == 10**9
