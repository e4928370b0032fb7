"""Thirty-two numbers at a time do what one would."""

import numpy as np
from numba import njit

from sthelar_build.core.mapping import lanes

A = np.linspace(-3, 4, lanes.WIDTH, dtype=np.float32)[None]
B = np.linspace(5, 1, lanes.WIDTH, dtype=np.float32)[None]


@njit
def every_operation(a, b, out):
    x, y = lanes.load(a, 0, 0), lanes.load(b, 0, 0)
    lanes.store(out, 0, 0, x + y - x * y)
    lanes.store(out, 1, 0, x / y)
    lanes.store(out, 2, 0, lanes.multiply_add(x, y, y))
    lanes.store(out, 3, 0, lanes.largest(x, lanes.smallest(y, lanes.spread(np.float32(2)))))
    lanes.store(out, 4, 0, lanes.square_root(lanes.size(x)))
    lanes.store(out, 5, 0, lanes.unless_below(x, y, lanes.size(x)))
    return lanes.total(x)


def test_operations_are_those_of_numpy():
    out = np.zeros((6, lanes.WIDTH), dtype=np.float32)
    total = every_operation(A, B, out)
    np.testing.assert_allclose(out[0], (A + B - A * B)[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(out[1], (A / B)[0])
    np.testing.assert_allclose(out[2], (A * B + B)[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(out[3], np.maximum(A, np.minimum(B, 2))[0])
    np.testing.assert_array_equal(out[4], np.sqrt(np.abs(A))[0])
    np.testing.assert_array_equal(out[5], np.where(np.abs(A) > B, A, 0)[0])
    assert abs(total - A.sum()) < 1e-4


@njit
def powers_of_two(rows, out):
    lanes.store(out, 1, 32, lanes.two_to_the(lanes.load(rows, 1, 32)))


def test_powers_of_two_are_exact_wherever_in_an_array():
    rows = np.full((2, 64), 99, dtype=np.float32)
    rows[1, 32:] = np.arange(-60, 68, 4)
    out = np.zeros_like(rows)
    powers_of_two(rows, out)
    np.testing.assert_array_equal(out[1, 32:], 2.0 ** rows[1, 32:])
    assert not out[0].any()
    assert not out[1, :32].any()
