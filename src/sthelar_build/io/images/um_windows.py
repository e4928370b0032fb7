"""Windows of the H&E and of the DAPI image in the um plane, from the level that suffices."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.registration import Image, Window, resampled
from sthelar_build.core.stain import haematoxylin
from sthelar_build.io.images.he import RGB, HeImage
from sthelar_build.io.images.morphology import MorphologyImage
from sthelar_build.io.transform import Transform

_MARGIN_PX = 2


def is_on_he(window: Window, transform: Transform) -> bool:
    """Return whether the H&E covers the whole window."""
    x, y = transform.um_to_he.apply(window.corners_um).T
    width, height = transform.he_width_px, transform.he_height_px
    return bool((x >= 0).all() and (x <= width).all() and (y >= 0).all() and (y <= height).all())


def haematoxylin_window(
    image: HeImage, transform: Transform, window: Window, smoothing_um: float
) -> Image:
    """Return the haematoxylin of the H&E on the grid of the window, smoothed."""
    pixels, to_pixels, um_per_px = _he_pixels(image, transform, window)
    return resampled(haematoxylin(pixels), to_pixels, window.shape, smoothing_um / um_per_px)


def he_window(image: HeImage, transform: Transform, window: Window) -> RGB:
    """Return the H&E on the grid of the window: (rows, columns, 3), uint8."""
    pixels, to_pixels, um_per_px = _he_pixels(image, transform, window)
    smoothing_px = window.um_per_px / um_per_px / 3
    channels = [
        resampled(pixels[..., c].astype(np.float32), to_pixels, window.shape, smoothing_px)
        for c in range(3)
    ]
    return np.rint(np.stack(channels, axis=2)).astype(np.uint8)


def dapi_window(image: MorphologyImage, transform: Transform, window: Window) -> Image:
    """Return the DAPI image on the grid of the window."""
    level = image.level_of_downsample(window.um_per_px / transform.pixel_size_um)
    factor = image.downsample(level)
    to_level = np.diag([1 / factor, 1 / factor, 1]) @ transform.um_to_morphology.matrix
    left, top, width, height = _box(window, to_level)
    pixels = image.read(left, top, width, height, level)
    smoothing_px = window.um_per_px / transform.pixel_size_um / factor / 3
    return resampled(pixels, _moved(to_level @ window.to_um, left, top), window.shape, smoothing_px)


def _he_pixels(
    image: HeImage, transform: Transform, window: Window
) -> tuple[RGB, NDArray[np.float64], float]:
    """Return the pixels around a window, the map from its grid to them, and their um per px."""
    level = image.level_of_downsample(window.um_per_px / transform.he_um_per_px)
    factor = image.levels[level].downsample
    to_level = np.diag([1 / factor, 1 / factor, 1]) @ transform.um_to_he.matrix
    left, top, width, height = _box(window, to_level)
    pixels = image.read(left, top, width, height, level)
    return pixels, _moved(to_level @ window.to_um, left, top), transform.he_um_per_px * factor


def _box(window: Window, to_level: NDArray[np.float64]) -> tuple[int, int, int, int]:
    corners = window.corners_um @ to_level[:2, :2].T + to_level[:2, 2]
    left, top = (math.floor(value) - _MARGIN_PX for value in corners.min(axis=0))
    right, bottom = (math.ceil(value) + _MARGIN_PX for value in corners.max(axis=0))
    return left, top, right - left, bottom - top


def _moved(matrix: NDArray[np.float64], left: int, top: int) -> NDArray[np.float64]:
    return np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]], dtype=np.float64) @ matrix
