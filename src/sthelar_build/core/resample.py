"""Resampling by area: every output pixel is the mean of the input that it covers."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import sparse


def area_average(
    pixels: NDArray[np.uint8],
    start_xy: tuple[float, float],
    step_xy: tuple[float, float],
    shape: tuple[int, int],
) -> NDArray[np.uint8]:
    """Average an image over a regular grid of boxes.

    Parameters
    ----------
    pixels
        Image (h, w, channels), uint8; pixel (r, c) covers [c, c+1) x [r, r+1).
    start_xy
        Left and top edge of the first output pixel, in input pixels, at least 0.
    step_xy
        Sides of an output pixel, in input pixels. The grid must lie inside ``pixels``.
    shape
        Rows and columns of the output.

    Returns
    -------
    Array (rows, columns, channels), uint8: the exact mean over each box, input pixels weighted by the
    area that lies inside, halves rounded up. Boxes made of whole pixels (steps 1, 2, ...) are averaged
    in integers.
    """
    whole = [value for value in (*start_xy, *step_xy) if float(value).is_integer()]
    if len(whole) == 4:
        return _block_average(pixels, start_xy, step_xy, shape)
    rows = _weights(start_xy[1], step_xy[1], shape[0], pixels.shape[0])
    columns = _weights(start_xy[0], step_xy[0], shape[1], pixels.shape[1])
    channels = pixels.shape[2]
    tall = (rows @ pixels.reshape(pixels.shape[0], -1)).reshape(shape[0], -1, channels)
    flat = tall.transpose(1, 0, 2).reshape(pixels.shape[1], -1)
    mean = (columns @ flat).reshape(shape[1], shape[0], channels).transpose(1, 0, 2)
    return np.ascontiguousarray(np.floor(mean + 0.5 + _ROUNDING_NOISE), dtype=np.uint8)


_ROUNDING_NOISE = 1e-9
"""A mean of exactly x.5 may come out a few ulp lower; it still rounds up."""


def _block_average(
    pixels: NDArray[np.uint8],
    start_xy: tuple[float, float],
    step_xy: tuple[float, float],
    shape: tuple[int, int],
) -> NDArray[np.uint8]:
    (x, y), (step_x, step_y) = map(int, start_xy), map(int, step_xy)
    inside = pixels[y : y + shape[0] * step_y, x : x + shape[1] * step_x]
    if step_x == step_y == 1:
        return np.ascontiguousarray(inside)
    total = np.zeros((*shape, pixels.shape[2]), dtype=np.uint32)
    for row in range(step_y):
        for column in range(step_x):
            total += inside[row::step_y, column::step_x]
    area = step_x * step_y
    return ((total + area // 2) // area).astype(np.uint8)


def _weights(start: float, step: float, n_out: int, n_in: int) -> sparse.csr_array:
    low = start + step * np.arange(n_out)
    high = low + step
    first = np.floor(low).astype(np.int64)
    inputs = first[:, None] + np.arange(math.ceil(step) + 1)
    overlap = np.minimum(high[:, None], inputs + 1) - np.maximum(low[:, None], inputs)
    kept = (overlap > 0) & (inputs < n_in)
    outputs = np.broadcast_to(np.arange(n_out)[:, None], inputs.shape)
    weights = sparse.csr_array(
        (overlap[kept], (outputs[kept], inputs[kept])), shape=(n_out, n_in), dtype=np.float64
    )
    return sparse.diags_array(1 / weights.sum(axis=1)) @ weights
