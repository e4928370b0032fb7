"""The H&E and the DAPI image as the viewer of the report shows them: 8 bits, on one grid, that of the H&E."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.registration import resampled
from sthelar_build.core.resample import area_average
from sthelar_build.io.images.he import RGB, HeImage
from sthelar_build.io.images.morphology import MorphologyImage
from sthelar_build.io.images.um_windows import box_around, moved
from sthelar_build.io.transform import Transform

_DARKEST, _BRIGHTEST = 0.05, 0.995
_GAMMA = 0.7
_RANGE_PX = 1024
"""Longer side of the DAPI image from which its range is taken."""


def finest_downsample(he_um_per_px: float, um_per_px: float) -> int:
    """Return the power of two by which level 0 may be reduced without pixels larger than ``um_per_px``; 1 at least.

    >>> finest_downsample(0.25, um_per_px=0.6)
    2
    """
    return int(2 ** max(0, math.floor(math.log2(um_per_px / he_um_per_px))))


@dataclass(frozen=True)
class ReducedHe:
    """The H&E, reduced; an ``io.tile_files.TileSource``."""

    image: HeImage
    downsample: int
    """Level-0 pixels per pixel."""

    @property
    def width_px(self) -> int:
        """Width of the reduced image; a last column that the H&E fills in part is whole."""
        return math.ceil(self.image.width_px / self.downsample)

    @property
    def height_px(self) -> int:
        """Height of the reduced image."""
        return math.ceil(self.image.height_px / self.downsample)

    def read(self, left_px: int, top_px: int, width_px: int, height_px: int) -> RGB:
        """Return a window (height_px, width_px, 3), from the pyramid level that suffices."""
        number = self.image.level_of_downsample(self.downsample)
        step = self.downsample / self.image.levels[number].downsample
        left, top = math.floor(left_px * step), math.floor(top_px * step)
        right = math.ceil((left_px + width_px) * step)
        bottom = math.ceil((top_px + height_px) * step)
        pixels = self.image.read(left, top, right - left, bottom - top, number)
        start = (left_px * step - left, top_px * step - top)
        return area_average(pixels, start, (step, step), (height_px, width_px))


@dataclass(frozen=True)
class DapiOnHe:
    """The DAPI image where the registration puts it under the H&E; an ``io.tile_files.TileSource``."""

    image: MorphologyImage
    transform: Transform
    downsample: int
    """Level-0 H&E pixels per pixel."""
    range: tuple[float, float]
    """Intensities that become black and white."""

    @property
    def width_px(self) -> int:
        """Width of the reduced H&E."""
        return math.ceil(self.transform.he_width_px / self.downsample)

    @property
    def height_px(self) -> int:
        """Height of the reduced H&E."""
        return math.ceil(self.transform.he_height_px / self.downsample)

    def read(self, left_px: int, top_px: int, width_px: int, height_px: int) -> NDArray[np.uint8]:
        """Return a window (height_px, width_px) in grey; black where the DAPI image ends."""
        window = np.array([left_px, top_px, left_px + width_px, top_px + height_px])
        to_morphology = self._to_morphology(window * float(self.downsample))
        level = self.image.level_of_downsample(_step(to_morphology))
        factor = self.image.downsample(level)
        to_level = np.diag([1 / factor, 1 / factor, 1]) @ to_morphology
        corners = np.array([[0, 0], [width_px, 0], [width_px, height_px], [0, height_px]])
        left, top, width, height = box_around(corners, to_level)
        pixels = self.image.read(left, top, width, height, level)
        to_pixels = moved(to_level, left, top)
        drawn = resampled(pixels, to_pixels, (height_px, width_px), _step(to_level) / 3)
        return grey(drawn, self.range)

    def _to_morphology(self, window_he_px: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the matrix from pixels of a window to level-0 morphology pixels, close to the map there."""
        left, top, right, bottom = window_he_px
        grid = np.meshgrid(np.linspace(left, right, 5), np.linspace(top, bottom, 5))
        places_um = self.transform.um_to_he_affine.inverse().apply(
            np.stack(grid, axis=-1).reshape(-1, 2)
        )
        he_to_um = self.transform.um_to_he.near(places_um).inverse()
        to_he = np.array([[self.downsample, 0, left], [0, self.downsample, top], [0, 0, 1.0]])
        return np.asarray(he_to_um.then(self.transform.um_to_morphology).matrix @ to_he)


def _step(matrix: NDArray[np.float64]) -> float:
    return float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))


def dapi_range(image: MorphologyImage) -> tuple[float, float]:
    """Return the intensities of the DAPI image that are shown black and white: its 5th percentile, its brightest 0.5 %."""
    level = image.level_of_downsample(max(image.width_px, image.height_px) / _RANGE_PX)
    factor = image.downsample(level)
    width, height = round(image.width_px / factor), round(image.height_px / factor)
    low, high = np.quantile(image.read(0, 0, width, height, level), [_DARKEST, _BRIGHTEST])
    return float(low), float(max(high, low + 1e-6))


def grey(dapi: NDArray[np.float32], limits: tuple[float, float]) -> NDArray[np.uint8]:
    """Return intensities in 8 bits: ``limits`` become 0 and 255, and what is dim between them is lifted."""
    low, high = limits
    level = np.clip((dapi - low) / (high - low), 0, 1) ** _GAMMA
    return np.asarray(np.rint(255 * level), dtype=np.uint8)
