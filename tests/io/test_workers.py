"""Shared work: results in order, work bounded, errors passed on."""

import math
import threading
import time

import pytest

from sthelar_build.io.workers import ahead, batches, map_processes, map_threads


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_keep_the_order_whoever_is_first(threads):
    def slow_when_small(n):
        time.sleep(0.01 / (n + 1))
        return n * n

    assert list(map_threads(slow_when_small, range(20), threads)) == [n * n for n in range(20)]


def test_processes_keep_the_order():
    assert list(map_processes(math.sqrt, [1, 4, 9], 2)) == [1, 2, 3]


def test_no_more_than_a_few_items_are_taken_ahead_of_the_reader():
    taken = 0
    lock = threading.Lock()

    def items():
        nonlocal taken
        for n in range(1000):
            with lock:
                taken += 1
            yield n

    results = map_threads(str, items(), 2)
    assert next(results) == "0"
    assert taken <= 8
    results.close()


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_reaches_the_reader(threads):
    with pytest.raises(ZeroDivisionError):
        list(map_threads(lambda n: 1 // n, [1, 0, 1], threads))


def test_batches_cover_all_items_the_last_one_shorter():
    assert list(batches(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(batches([], 2)) == []


def test_the_next_item_is_made_while_one_is_used_and_no_more_than_that():
    made = []
    second_is_made = threading.Event()

    def items():
        for n in range(4):
            made.append(n)
            if n == 1:
                second_is_made.set()
            yield n

    coming = ahead(items())
    assert next(coming) == 0
    assert second_is_made.wait(5)
    assert made == [0, 1]
    assert list(coming) == [1, 2, 3]


def test_an_error_while_making_comes_after_the_items_before_it():
    coming = ahead(1 // n for n in (1, 0))
    assert next(coming) == 1
    with pytest.raises(ZeroDivisionError):
        next(coming)
