"""Nearest neighbours among hundreds of thousands of points: only near lists of points are searched.

The points are sorted into about as many lists as a list has points, by their nearest of so many centres (k-means on a
sample), and a point is compared with all points of the lists whose centres are nearest to that of its own: an inverted
file (Jegou et al. 2011, without their compression). A list belongs to one thread, so that the result does not depend
on their number, and nothing is drawn at random but the sample.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

Floats = NDArray[np.float32]
Numbers = NDArray[np.int32]
_LISTS_SEARCHED = 48
"""Of every point, at least; finds 99 of 100 neighbours in 16 dimensions (``benchmarks/clustering.py``)."""
_SAMPLE_PER_LIST = 64
_ROUNDS = 8
_JOBS_PER_THREAD = 16
_BLOCK_ROWS = 8192


def near_points(
    points: Floats, neighbours: int, seed: int, threads: int = 1
) -> tuple[Numbers, Floats]:
    """Return the numbers of the points nearest to every point, the nearest first, and their distances.

    Both are (points, neighbours); a point is its own neighbour at distance 0, though one at the same place may come
    before it. There must be at least as many points as neighbours. With few lists all are searched: the result is
    exact then.
    """
    lists, centres = _sorted_into_lists(points, seed)
    order = np.argsort(lists, kind="stable")
    ends = np.concatenate([[0], np.cumsum(np.bincount(lists, minlength=len(centres)))])
    near = _near_lists(centres, max(_LISTS_SEARCHED, neighbours))
    found = np.zeros((len(points), neighbours), dtype=np.int32)
    squares = np.full((len(points), neighbours), np.inf, dtype=np.float32)
    ordered = np.ascontiguousarray(points[order])
    cuts = np.linspace(0, len(centres), threads * _JOBS_PER_THREAD + 1).astype(np.intp)

    def search(job: int) -> None:
        _search_lists(ordered, ends, near, cuts[job], cuts[job + 1], found, squares)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(search, range(len(cuts) - 1)))
    numbers = np.empty_like(found)
    numbers[order] = order[found]
    distances = np.empty_like(squares)
    distances[order] = np.sqrt(squares)
    return numbers, distances


def _sorted_into_lists(points: Floats, seed: int) -> tuple[Numbers, Floats]:
    """Return the list of every point, and the centres of the lists; no list is empty."""
    wanted = math.isqrt(len(points))
    rng = np.random.default_rng(seed)
    sample = points[rng.choice(len(points), min(len(points), _SAMPLE_PER_LIST * wanted), False)]
    centres = sample[:wanted].copy()
    for _ in range(_ROUNDS):
        centres = _means(sample, _nearest_centre(sample, centres), centres)
    used, lists = np.unique(_nearest_centre(points, centres), return_inverse=True)
    return lists.astype(np.int32), centres[used]


def _nearest_centre(points: Floats, centres: Floats) -> Numbers:
    halves = (centres**2).sum(axis=1) / 2
    nearest = np.empty(len(points), dtype=np.int32)
    with threadpool_limits(1):
        for start in range(0, len(points), _BLOCK_ROWS):
            rows = slice(start, start + _BLOCK_ROWS)
            nearest[rows] = (halves - points[rows] @ centres.T).argmin(axis=1)
    return nearest


def _means(points: Floats, lists: Numbers, centres: Floats) -> Floats:
    """Return the mean of the points of every list; an empty one keeps its centre."""
    sizes = np.bincount(lists, minlength=len(centres))
    columns = [np.bincount(lists, column, minlength=len(centres)) for column in points.T]
    means = np.stack(columns, axis=1) / np.maximum(sizes, 1)[:, None]
    return np.where(sizes[:, None] > 0, means, centres).astype(np.float32)


def _near_lists(centres: Floats, n: int) -> Numbers:
    """Return the numbers of the ``n`` lists nearest to every list, itself first; all where there are fewer."""
    squares = (centres**2).sum(axis=1)
    with threadpool_limits(1):
        apart = squares[:, None] + squares - 2 * centres @ centres.T
    np.fill_diagonal(apart, -1)
    return np.argsort(apart, axis=1, kind="stable")[:, :n].astype(np.int32)


@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})  # type: ignore[untyped-decorator]
def _search_lists(
    points: Floats,
    ends: NDArray[np.intp],
    near: Numbers,
    first: int,
    last: int,
    found: Numbers,
    squares: Floats,
) -> None:
    """Search the neighbours of the points of some lists; points and results are in the order of the lists."""
    for own in range(first, last):
        for point in range(ends[own], ends[own + 1]):
            numbers, best = found[point], squares[point]
            for other in near[own]:
                for candidate in range(ends[other], ends[other + 1]):
                    square = np.float32(0)
                    for axis in range(points.shape[1]):
                        step = points[point, axis] - points[candidate, axis]
                        square += step * step
                    place = len(best) - 1
                    if square < best[place]:
                        while place > 0 and best[place - 1] > square:
                            best[place] = best[place - 1]
                            numbers[place] = numbers[place - 1]
                            place -= 1
                        best[place] = square
                        numbers[place] = candidate
