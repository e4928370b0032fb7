"""Random numbers by name, and smooth random fields: the raw material of texture."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

Field = NDArray[np.float32]


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the random generator of one step; steps do not disturb each other's numbers."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], scale_px: float) -> Field:
    """Return a random field of mean 0 and deviation 1 whose features are about ``scale_px`` wide.

    White noise through a Gaussian. Fields that are much smoother than a pixel are made small and
    enlarged, so cost does not grow with ``scale_px``.
    """
    step = max(1, int(scale_px / 4))
    small = (-(-shape[0] // step) + 3, -(-shape[1] // step) + 3)
    noise = rng.standard_normal(small, dtype=np.float32)
    noise = ndimage.gaussian_filter(noise, scale_px / step / 2, mode="reflect")
    if step > 1:
        noise = _enlarged(noise, step, shape)
    deviation = float(noise.std()) or 1.0
    return np.asarray(
        ((noise[: shape[0], : shape[1]] - noise.mean()) / deviation).astype(np.float32)
    )


def _enlarged(field: Field, factor: int, shape: tuple[int, int]) -> Field:
    rows = np.arange(shape[0]) / factor + 0.5
    columns = np.arange(shape[1]) / factor + 0.5
    return _by_rows(_by_rows(field, rows).T, columns).T


def _by_rows(field: Field, positions: NDArray[np.float64]) -> Field:
    low = positions.astype(int)
    weight = (positions - low).astype(np.float32)
    weight = (weight * weight * (3 - 2 * weight))[:, None]
    return np.ascontiguousarray(field[low] * (1 - weight) + field[low + 1] * weight)


def layered_noise(
    rng: np.random.Generator, shape: tuple[int, int], scales_px: list[float]
) -> Field:
    """Return the sum of smooth fields, each weighted by its scale, of deviation 1."""
    total = np.zeros(shape, dtype=np.float32)
    for scale in scales_px:
        total += smooth_noise(rng, shape, scale) * np.float32(np.sqrt(scale))
    return total / np.float32(total.std() or 1.0)


def fibres(rng: np.random.Generator, angle: Field, width_px: float, length_px: float) -> Field:
    """Return noise drawn out along a direction field: mean 0, deviation 1.

    Line integral convolution (Cabral and Leedom 1993) of band-limited noise, with steps of one pixel
    looked up at the nearest pixel.

    Parameters
    ----------
    angle
        (y, x) direction of the fibres, radians from the x axis.
    """
    rows, columns = angle.shape
    noise = smooth_noise(rng, (rows, columns), width_px * 2)
    step_x, step_y = np.cos(angle), np.sin(angle)
    total = noise.copy()
    for sign in (np.float32(1), np.float32(-1)):
        place: NDArray[np.float32] = np.indices(angle.shape, dtype=np.float32)
        for _ in range(max(1, int(length_px / 2))):
            nearest = _flat_index(place, rows, columns)
            place[0] += sign * step_y.ravel()[nearest]
            place[1] += sign * step_x.ravel()[nearest]
            total += noise.ravel()[_flat_index(place, rows, columns)]
    return np.asarray((total - total.mean()) / np.float32(total.std() or 1.0))


def _flat_index(place: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.int32]:
    row = np.clip((place[0] + 0.5).astype(np.int32), 0, rows - 1)
    column = np.clip((place[1] + 0.5).astype(np.int32), 0, columns - 1)
    return np.asarray(row * np.int32(columns) + column)


def fine_texture(rng: np.random.Generator, shape: tuple[int, int], scale_px: float) -> Field:
    """Return noise of one fine scale, tiled from a block of 1024 px: texture inside small objects only.

    The tile wraps without a seam (its spectrum is filtered), and its repetition cannot be seen because
    it shows through objects much smaller than itself.
    """
    side = 1024
    frequency = np.hypot(fft.fftfreq(side)[:, None], fft.rfftfreq(side)[None, :])
    spectrum = fft.rfft2(rng.standard_normal((side, side), dtype=np.float32))
    spectrum *= np.exp(-2 * (np.pi * frequency * scale_px / 2) ** 2).astype(np.float32)
    block = fft.irfft2(spectrum, s=(side, side)).astype(np.float32)
    block /= block.std()
    repeats = (-(-shape[0] // side), -(-shape[1] // side))
    return np.tile(block, repeats)[: shape[0], : shape[1]]
