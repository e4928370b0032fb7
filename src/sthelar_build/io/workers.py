"""Work shared between threads or processes, results in the order of the items, few of them in memory."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD_PER_WORKER = 4


def map_threads(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int
) -> Iterator[Result]:
    """Yield ``function(item)`` for every item, in order; for work that lets go of the GIL."""
    if threads == 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from _in_order(pool, function, items, threads)


def map_processes(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int
) -> Iterator[Result]:
    """Yield ``function(item)`` for every item, in order; function, items and results must pickle."""
    if threads == 1:
        yield from map(function, items)
        return
    # Forking a process that has threads (pyarrow, zarr) can deadlock.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(threads, mp_context=context) as pool:
        yield from _in_order(pool, function, items, threads)


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Pass the items through, in order; the next one is made, in a thread, while the last one is used."""
    source = iter(items)
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(_up_to_one, source)
        while made := coming.result():
            coming = pool.submit(_up_to_one, source)
            yield from made


def _up_to_one(source: Iterator[Item]) -> list[Item]:
    return list(islice(source, 1))


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield lists of ``size`` items; the last may be shorter."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _in_order(
    pool: Executor, function: Callable[[Item], Result], items: Iterable[Item], threads: int
) -> Iterator[Result]:
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= threads * _AHEAD_PER_WORKER:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
