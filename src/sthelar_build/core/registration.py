"""How far the H&E lies from the nuclei, tile by tile: the shift that brings haematoxylin and nuclei together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import affine_transform, gaussian_filter

Image = NDArray[np.float32]
_FLAT = 1e-9
"""Variance of a window over the largest one, at or below which it is rounding noise."""


@dataclass(frozen=True)
class Window:
    """A rectangle of the ``um`` plane as a grid of pixels."""

    left_um: float
    top_um: float
    um_per_px: float
    shape: tuple[int, int]
    """Rows and columns."""

    @property
    def to_um(self) -> NDArray[np.float64]:
        """The 3x3 matrix from pixels of the window to um."""
        size = self.um_per_px
        return np.array([[size, 0, self.left_um], [0, size, self.top_um], [0, 0, 1]])

    @property
    def corners_um(self) -> NDArray[np.float64]:
        """(4, 2) corners in um, x first."""
        height, width = (side * self.um_per_px for side in self.shape)
        left, top = self.left_um, self.top_um
        right, bottom = left + width, top + height
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])

    def grown(self, margin_px: int) -> Window:
        """Return the window with a margin on every side."""
        margin_um = margin_px * self.um_per_px
        height, width = (side + 2 * margin_px for side in self.shape)
        return Window(
            self.left_um - margin_um, self.top_um - margin_um, self.um_per_px, (height, width)
        )


@dataclass(frozen=True)
class Shift:
    """The best shift of a template over an image, in pixels, and how it stands out."""

    dx_px: float
    dy_px: float
    correlation: float
    """Normalised cross-correlation without any shift."""
    best: float
    """The same at the best shift."""
    far: float
    """Its mean over the farthest shifts that were tried: what chance gives here."""

    @property
    def gain(self) -> float:
        """How far the best correlation stands above the farthest shifts."""
        return self.best - self.far


def resampled(
    image: Image, to_image: NDArray[np.float64], shape: tuple[int, int], smoothing_px: float
) -> Image:
    """Draw an image on another grid.

    Parameters
    ----------
    image
        (h, w); pixel (r, c) covers [c, c+1) x [r, r+1).
    to_image
        3x3 matrix that takes points (x, y, 1) of the new grid to points of ``image``.
    shape
        Rows and columns of the new grid.
    smoothing_px
        Standard deviation of a Gaussian on ``image`` beforehand, in its pixels.

    Returns
    -------
    (rows, columns), bilinear between pixel centres; the border continues outwards.
    """
    smooth = gaussian_filter(image, smoothing_px, mode="nearest") if smoothing_px else image
    # scipy works on (row, column) of centres: swap the axes, and half a pixel on either side.
    linear = to_image[1::-1, 1::-1]
    offset = to_image[1::-1, 2] + linear @ [0.5, 0.5] - 0.5
    drawn = affine_transform(smooth, linear, offset, shape, order=1, mode="nearest")
    return np.asarray(drawn, dtype=np.float32)


def correlation_surface(image: NDArray[np.floating], template: NDArray[np.floating]) -> Image:
    """Return the normalised cross-correlation of a template at every place where it fits in the image.

    Parameters
    ----------
    image
        (h + 2 * a, w + 2 * b).
    template
        (h, w).

    Returns
    -------
    (2 * a + 1, 2 * b + 1): Pearson correlation of the template and what lies beneath it, with the template's
    corner at that pixel of the image; the middle is no shift. 0 where either is flat.

    Notes
    -----
    Lewis, Fast normalized cross-correlation, Vision Interface 1995: the numerator by FFT, local sums by
    differences of the integral image.
    """
    centred = template - template.mean()
    shape = tuple(fft.next_fast_len(size, real=True) for size in image.shape)
    spectrum = fft.rfft2(image - image.mean(), shape) * np.conj(fft.rfft2(centred, shape))
    places = tuple(big - small + 1 for big, small in zip(image.shape, template.shape, strict=True))
    product = fft.irfft2(spectrum, shape)[: places[0], : places[1]]
    values = (image - image.mean()).astype(np.float64)
    total, squares = _local_sums(values, template.shape), _local_sums(values**2, template.shape)
    under = np.maximum(squares - total**2 / template.size, 0)
    flat = (under <= _FLAT * squares.max()) | (not centred.any())
    spread = np.sqrt(under * np.square(centred).sum())
    surface = np.divide(product, spread, out=np.zeros(places), where=~flat)
    return np.asarray(surface, dtype=np.float32)


def best_shift(surface: NDArray[np.floating]) -> Shift:
    """Return the shift of the highest correlation, refined by a parabola along x and along y.

    A peak on the border of the search is not refined. Of equal peaks the first in reading order counts.
    """
    row, column = np.unravel_index(int(np.argmax(surface)), surface.shape)
    middle = (surface.shape[0] // 2, surface.shape[1] // 2)
    border = np.ones(surface.shape, dtype=np.bool_)
    border[1:-1, 1:-1] = False
    return Shift(
        dx_px=float(column - middle[1] + _vertex(surface[row, :], int(column))),
        dy_px=float(row - middle[0] + _vertex(surface[:, column], int(row))),
        correlation=float(surface[middle]),
        best=float(surface[row, column]),
        far=float(surface[border].mean()),
    )


def weighted_quantiles(
    values: NDArray[np.floating], weights: NDArray[np.floating], shares: Sequence[float]
) -> list[float]:
    """Return the smallest values up to which the weights make up these shares of all."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    places = np.searchsorted(below, np.asarray(shares) * below[-1] * (1 - 1e-12))
    return [float(value) for value in values[order][places]]


def _local_sums(values: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    integral = np.pad(values.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    tall, wide = shape
    return np.asarray(
        integral[tall:, wide:]
        - integral[:-tall, wide:]
        - integral[tall:, :-wide]
        + integral[:-tall, :-wide]
    )


def _vertex(line: NDArray[np.floating], peak: int) -> float:
    """Return where the parabola through the peak and its two neighbours has its top, from the peak."""
    if not 0 < peak < len(line) - 1:
        return 0.0
    before, top, after = (float(value) for value in line[peak - 1 : peak + 2])
    bend = before - 2 * top + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0
