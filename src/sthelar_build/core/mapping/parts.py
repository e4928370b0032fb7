"""Compiled parts that several passes share: the exponential, P, a small product, and sums in float32.

No fast-math: the compiler may not reorder operations, so any number of threads gives the same bits. The exponential is
our own for that reason too, and because it then takes many at a time. Functions that are not inlined are called for a
block of rows, as numba's calls are dear. numba's cache follows the file of a kernel only: after a change of another
file of this folder, delete ``__pycache__/*.nb?``.
"""

# mypy: allow-untyped-decorators

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from sthelar_build.core.mapping.lanes import (
    WIDTH,
    largest,
    load,
    multiply_add,
    smallest,
    spread,
    store,
    two_to_the,
)
from sthelar_build.core.mapping.records import Doubles, Floats, Softmax

kernel = njit(nogil=True, error_model="numpy", cache=True)
"""Called from Python; releases the interpreter's lock."""
helper = njit(nogil=True, error_model="numpy")
inlined = njit(nogil=True, error_model="numpy", inline="always")

_F = np.float32
BLOCK = 32
"""Rows that one function after the other works on: they stay in the fastest cache, and calls are dear."""
ROWS_IN_FLOAT32 = 1024
"""Rows whose sums are held in float32 before they are added up in float64."""

# exp(x) = 2**n exp(r) with |r| <= log(2) / 2, and (exp(r) - 1 - r) / r**2 interpolated at the six Chebyshev nodes:
# the error is below 2e-10, less than float32 can show. log(2) in two parts (Cody and Waite 1980).
_LOG2_E = _F(1.4426950408889634)
_ROUNDER = _F(1.5 * 2**23)
_LOG_2_HIGH, _LOG_2_LOW = _F(355 / 512), _F(-2.12194440e-4)
_EXP_0, _EXP_1, _EXP_2 = _F(5.0000000135e-1), _F(1.6666666682e-1), _F(4.1666464925e-2)
_EXP_3, _EXP_4, _EXP_5 = _F(8.3333109255e-3), _F(1.3933649997e-3), _F(1.9890990846e-4)
_LOWEST, _HIGHEST = _F(-43.0), _F(40.0)
"""Squares of the exponentials, and sums of them, stay between float32's denormal numbers, which are slow, and infinity."""


@inlined
def exp(x: Any) -> Any:
    """Return exp(x) of lanes."""
    x = smallest(largest(x, spread(_LOWEST)), spread(_HIGHEST))
    power = x * spread(_LOG2_E) + spread(_ROUNDER) - spread(_ROUNDER)
    rest = x - power * spread(_LOG_2_HIGH) - power * spread(_LOG_2_LOW)
    series = multiply_add(spread(_EXP_5), rest, spread(_EXP_4))
    series = multiply_add(series, rest, spread(_EXP_3))
    series = multiply_add(series, rest, spread(_EXP_2))
    series = multiply_add(series, rest, spread(_EXP_1))
    series = multiply_add(series, rest, spread(_EXP_0))
    series = multiply_add(series, rest * rest, rest) + spread(_F(1.0))
    return series * two_to_the(power)


@helper
def write_share(start: int, stop: int, logits: Floats, softmax: Softmax, shares: Floats) -> None:
    """Write P."""
    for row in range(start, stop):
        for lane in range(0, shares.shape[1], WIDTH):
            above = load(logits, row, lane) - load(softmax.shift, 0, lane)
            store(shares, row - start, lane, exp(above) * load(softmax.scale, 0, lane))


@helper
def add_products(n_rows: int, shares: Floats, matrix: Floats, slopes: Floats) -> None:
    """Add ``shares @ matrix`` to the slopes; two rows at a time, as above."""
    for row in range(0, n_rows, 2):
        for lane in range(0, slopes.shape[1], WIDTH):
            even, odd = load(slopes, row, lane), load(slopes, row + 1, lane)
            for label in range(shares.shape[1]):
                values = load(matrix, label, lane)
                even = multiply_add(spread(shares[row, label]), values, even)
                odd = multiply_add(spread(shares[row + 1, label]), values, odd)
            store(slopes, row, lane, even)
            store(slopes, row + 1, lane, odd)


@helper
def empty(part: Floats, whole: Doubles) -> None:
    """Add a float32 part to the float64 whole, and start it again at zero."""
    for row in range(part.shape[0]):
        for column in range(part.shape[1]):
            whole[row, column] += part[row, column]
            part[row, column] = _F(0.0)


@kernel
def write_shares(first: int, last: int, logits: Floats, softmax: Softmax) -> None:
    """Replace the logits of the cells from ``first`` to before ``last`` by P."""
    write_share(first, last, logits, softmax, logits[first:last])
