"""Windows of the H&E and of the DAPI image in the um plane, from the level that suffices.

Where a correction bends the map, a window of the H&E is drawn through the affine map that comes closest to it there.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.registration import Image, Window, resampled
from sthelar_build.core.stain import haematoxylin
from sthelar_build.io.images.he import RGB, HeImage
from sthelar_build.io.images.morphology import MorphologyImage
from sthelar_build.io.transform import Transform
from sthelar_build.schema.frames import PointMap

_MARGIN_PX = 2
_PLACES = 8
"""Along either side of a window, the places over which that affine map is sought."""


def is_on_he(image: HeImage, um_to_he: PointMap, window: Window) -> bool:
    """Return whether the H&E covers the whole window."""
    x, y = um_to_he.apply(window.corners_um).T
    width, height = image.width_px, image.height_px
    return bool((x >= 0).all() and (x <= width).all() and (y >= 0).all() and (y <= height).all())


def haematoxylin_window(
    image: HeImage, um_to_he: PointMap, window: Window, smoothing_um: float
) -> Image:
    """Return the haematoxylin of the H&E on the grid of the window, smoothed."""
    pixels, to_pixels, um_per_px = _he_pixels(image, um_to_he, window)
    return resampled(haematoxylin(pixels), to_pixels, window.shape, smoothing_um / um_per_px)


def he_window(image: HeImage, um_to_he: PointMap, window: Window) -> RGB:
    """Return the H&E on the grid of the window: (rows, columns, 3), uint8."""
    pixels, to_pixels, um_per_px = _he_pixels(image, um_to_he, window)
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
    left, top, width, height = box_around(window.corners_um, to_level)
    pixels = image.read(left, top, width, height, level)
    smoothing_px = window.um_per_px / transform.pixel_size_um / factor / 3
    return resampled(pixels, moved(to_level @ window.to_um, left, top), window.shape, smoothing_px)


def _he_pixels(
    image: HeImage, um_to_he: PointMap, window: Window
) -> tuple[RGB, NDArray[np.float64], float]:
    """Return the pixels around a window, the map from its grid to them, and their um per px."""
    level = image.level_of_downsample(window.um_per_px * um_to_he.scale)
    factor = image.levels[level].downsample
    local = um_to_he.near(_places_um(window))
    to_level = np.diag([1 / factor, 1 / factor, 1]) @ local.matrix
    left, top, width, height = box_around(window.corners_um, to_level)
    pixels = image.read(left, top, width, height, level)
    return pixels, moved(to_level @ window.to_um, left, top), factor / um_to_he.scale


def _places_um(window: Window) -> NDArray[np.float64]:
    """Return the centres (n, 2) of equal parts of the window: over these the local map is right on average."""
    rows, columns = ((np.arange(_PLACES) + 0.5) / _PLACES * size for size in window.shape)
    places = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    return np.asarray(places * window.um_per_px + [window.left_um, window.top_um])


def box_around(
    corners_xy: NDArray[np.float64], to_level: NDArray[np.float64]
) -> tuple[int, int, int, int]:
    """Return left, top, width and height of the pixels of a level around corners (n, 2), with a margin for smoothing."""
    corners = corners_xy @ to_level[:2, :2].T + to_level[:2, 2]
    left, top = (math.floor(value) - _MARGIN_PX for value in corners.min(axis=0))
    right, bottom = (math.ceil(value) + _MARGIN_PX for value in corners.max(axis=0))
    return left, top, right - left, bottom - top


def moved(matrix: NDArray[np.float64], left: int, top: int) -> NDArray[np.float64]:
    """Return a 3x3 matrix to pixels of a level as one to pixels of the box that starts at ``left``, ``top``."""
    return np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]], dtype=np.float64) @ matrix
