"""Filtered rows of an image, as PNG compresses them (PNG specification, section 9)."""

# mypy: allow-untyped-decorators

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_UP, _PAETH = 2, 4

Bytes = NDArray[np.uint8]


def filtered_photograph(pixels: Bytes) -> Bytes:
    """Return the rows (y, 1 + 3 x) of an RGB image (y, x, 3), each after its filter type 4 (Paeth).

    Of the five filters it leaves least to be compressed of a stained slide; choosing one for every row gains
    little and takes several times as long.
    """
    height, width, channels = pixels.shape
    rows = np.ascontiguousarray(pixels).reshape(height, width * channels)
    filtered = np.empty((height, width * channels + 1), dtype=np.uint8)
    _paeth(rows, channels, filtered)
    return filtered


def filtered_map(pixels: NDArray[Any]) -> Bytes:
    """Return the rows of a map (y, x), uint8 or uint16, each after its filter type 2 (difference to the row above)."""
    big_endian = pixels.astype(pixels.dtype.newbyteorder(">"), order="C", copy=False)
    rows = big_endian.view(np.uint8).reshape(pixels.shape[0], -1)
    filtered = np.empty((rows.shape[0], rows.shape[1] + 1), dtype=np.uint8)
    filtered[:, 0] = _UP
    filtered[:1, 1:] = rows[:1]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    return filtered


@njit(nogil=True, cache=True)
def _paeth(rows: Bytes, channels: int, filtered: Bytes) -> None:
    filtered[:, 0] = _PAETH
    filtered[0, 1 : channels + 1] = rows[0, :channels]
    filtered[0, channels + 1 :] = rows[0, channels:] - rows[0, :-channels]
    for row in range(1, len(rows)):
        filtered[row, 1 : channels + 1] = rows[row, :channels] - rows[row - 1, :channels]
        # Slices and selections without a branch: the compiler takes many pixels at a time.
        here, left = rows[row, channels:], rows[row, :-channels]
        above, corner = rows[row - 1, channels:], rows[row - 1, :-channels]
        target = filtered[row, channels + 1 :]
        for place in range(len(here)):
            a, b, c = np.int16(left[place]), np.int16(above[place]), np.int16(corner[place])
            down, across = np.int16(b - c), np.int16(a - c)
            to_a, to_b = np.int16(abs(down)), np.int16(abs(across))
            to_c = np.int16(abs(np.int16(down + across)))
            guess = b if to_b <= to_c else c
            guess = a if (to_a <= to_b) & (to_a <= to_c) else guess
            target[place] = np.uint8(here[place] - np.uint8(guess))
