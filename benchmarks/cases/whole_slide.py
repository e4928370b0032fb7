"""A whole slide of billions of pixels and hundreds of thousands of nuclei, drawn block by block.

Nuclei are ellipses from a bank of stamps, placed at random where a smooth field of density lets them, on eosin
with texture. Nothing repeats that a search for nuclei could lock on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np
import shapely
import tifffile
from numpy.typing import NDArray

from cases.case import BRIGHT, DARK, Case, write_case
from cases.simulated import linear_map
from sthelar_build.core.simulation.fields import fine_texture, layered_noise, smooth_noise, stream
from sthelar_build.io.ome_tiff import halve
from sthelar_build.schema.frames import Affine, Frame

RGB = NDArray[np.uint8]

_TILE_PX = 512
_BLOCK_PX = 4096
"""Drawn at once: one tile of the smallest level that is cut from it."""
_LEVELS_OF_BLOCK, _LEVELS = 4, 5
_QUALITY = 80
_RASTER_PX = 128
"""Side of the pixels of the fields of tissue and density."""
_STAMP_PX, _STAMPS = 48, 400
_SITE_UM = 7.5
"""Distance of the places that may hold a nucleus of usual size."""
_GLASS = 242
_EOSIN = (0.09, 0.86, 0.42)
_HAEMATOXYLIN = (0.86, 0.96, 0.42)
_VERTICES = 10


@dataclass(frozen=True)
class SlidePlan:
    """Everything that the slide depends on."""

    seed: int = 5
    width_px: int = 54_000
    height_px: int = 48_000
    um_per_px: float = 0.2738
    angle_deg: float = 91.3
    mirrored: bool = False
    nuclei: int = 750_000
    """On the H&E; DAPI has ``1 - dropped`` of those in its region, and the false ones."""
    dropped: float = 0.2
    jitter_um: float = 0.4
    false: float = 0.05
    region: float = 0.97
    """Sides of the region on those of the H&E."""
    size: float = 1.0
    """Of the nuclei and of their distances; above a million nuclei, smaller ones leave the density room to vary."""
    pixel_size_um: float = 1.0625
    """Of the morphology image, which is kept coarse: it is not what is measured."""


@dataclass(frozen=True, eq=False)
class _Layout:
    """Where there is tissue, and where the nuclei are."""

    tissue: NDArray[np.bool_]
    """(y, x) raster of ``_RASTER_PX``."""
    corners_px: NDArray[np.int64]
    """(n, 2) left and top of the stamp of every nucleus."""
    stamp: NDArray[np.int64]
    """(n,) its stamp."""


@dataclass(frozen=True, eq=False)
class _Stamps:
    """Nuclei as they are drawn, and their outlines."""

    light: NDArray[np.uint16]
    """(stamps, y, x, 3): what passes, 256 is all."""
    outlines_px: NDArray[np.float64]
    """(stamps, vertices, 2) around the middle of the stamp."""


def make_whole_slide(plan: SlidePlan, folder: Path) -> Case:
    """Draw the slide into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    stamps, layout = _stamps(plan), _layout(plan)
    _write_he(folder / "he.ome.tif", plan, layout, stamps)
    um_from_he = _um_from_he(plan)
    centres_px, shape = _seen(plan, layout)
    centres_um = um_from_he.apply(centres_px)
    centres_um += stream(plan.seed, "jitter").normal(0, plan.jitter_um, centres_um.shape)
    outlines_um = stamps.outlines_px[shape] @ um_from_he.matrix[:2, :2].T
    outlines_um += centres_um[:, None]
    geometry = np.asarray(shapely.polygons(outlines_um))
    centroids_um = shapely.get_coordinates(shapely.centroid(geometry))
    to_morphology = um_from_he.then(
        Affine.scaling(1 / plan.pixel_size_um, Frame.UM, Frame.MORPHOLOGY)
    )
    return write_case(
        folder,
        to_morphology,
        (plan.width_px, plan.height_px),
        geometry,
        um_from_he.inverse().apply(centroids_um),
        {"kind": "whole slide"},
        pixel_size_um=plan.pixel_size_um,
        dapi=_dapi(plan, centres_um),
    )


def _um_from_he(plan: SlidePlan) -> Affine:
    linear = linear_map(plan.um_per_px, plan.angle_deg, mirrored=plan.mirrored)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * [plan.width_px, plan.height_px]
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = -(corners @ linear.T).min(axis=0)
    return Affine(matrix, Frame.HE, Frame.UM)


def _layout(plan: SlidePlan) -> _Layout:
    rng = stream(plan.seed, "layout")
    shape = -(-plan.height_px // _RASTER_PX), -(-plan.width_px // _RASTER_PX)
    rows, columns = np.indices(shape) / np.array(shape)[:, None, None] - 0.5
    outline = layered_noise(rng, shape, [min(shape) / 3, min(shape) / 10])
    tissue = 0.8 * outline - 14 * (rows**2 + columns**2) > -1.6
    density = np.exp(0.9 * layered_noise(rng, shape, [40, 12, 5])) * tissue
    sites_px = _sites(rng, plan)
    here = density[tuple((sites_px[:, ::-1] // _RASTER_PX).astype(int).T)]
    kept = rng.random(len(here)) < np.minimum(here * _rate(here, plan.nuclei), 1)
    corners = np.floor(sites_px[kept]).astype(np.int64) - _STAMP_PX // 2
    return _Layout(tissue, corners, rng.integers(_STAMPS, size=len(corners)))


def _sites(rng: np.random.Generator, plan: SlidePlan) -> NDArray[np.float64]:
    """Return (n, 2) places on a lattice that is shaken by most of its step, all on the slide."""
    step_px = plan.size * _SITE_UM / plan.um_per_px
    size_px = np.array([plan.width_px, plan.height_px])
    counts = (size_px / step_px).astype(int)
    lattice = np.stack(np.meshgrid(*(np.arange(n) for n in counts)), axis=-1).reshape(-1, 2)
    shaken = (lattice + 0.5 + rng.uniform(-0.4, 0.4, lattice.shape)) * step_px
    return np.clip(shaken, 0, size_px - 1)


def _rate(density: NDArray[np.float64], wanted: int) -> float:
    """Return the factor that makes the probabilities, each at most 1, sum to what is wanted."""
    low, high = 0.0, 1e3
    for _ in range(40):
        middle = (low + high) / 2
        enough = np.minimum(density * middle, 1).sum() > wanted
        low, high = (low, middle) if enough else (middle, high)
    return high


def _stamps(plan: SlidePlan) -> _Stamps:
    rng = stream(plan.seed, "stamps")
    unit_px = plan.size / plan.um_per_px
    long_px = rng.uniform(2.6, 5.2, _STAMPS) * unit_px
    short_px = np.minimum(long_px * rng.uniform(0.45, 0.95, _STAMPS), 3.8 * unit_px)
    tilt = rng.uniform(0, np.pi, _STAMPS)
    cos, sin = np.cos(tilt), np.sin(tilt)
    theta = np.linspace(0, 2 * np.pi, _VERTICES, endpoint=False)
    u, v = long_px[:, None] * np.cos(theta), short_px[:, None] * np.sin(theta)
    outlines = np.stack(
        [u * cos[:, None] - v * sin[:, None], u * sin[:, None] + v * cos[:, None]], -1
    )
    grid = np.arange(_STAMP_PX) + 0.5 - _STAMP_PX / 2
    x, y = (axis[None] for axis in np.meshgrid(grid, grid))
    along = (x * cos[:, None, None] + y * sin[:, None, None]) / long_px[:, None, None]
    across = (y * cos[:, None, None] - x * sin[:, None, None]) / short_px[:, None, None]
    inside = 1 / (1 + np.exp(np.clip((np.hypot(along, across) - 1) * 14, -30, 30)))
    grain = 1 + 0.15 * rng.standard_normal(inside.shape)
    stain = inside * grain * rng.lognormal(0, 0.25, _STAMPS)[:, None, None]
    light = 256 * np.exp(-np.maximum(stain, 0)[..., None] * np.array(_HAEMATOXYLIN))
    return _Stamps(light.astype(np.uint16), outlines)


def _seen(plan: SlidePlan, layout: _Layout) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return centres in H&E px and stamps of the nuclei that DAPI has, the false ones last."""
    rng = stream(plan.seed, "dapi")
    size_px = np.array([plan.width_px, plan.height_px])
    margin_px = size_px * (1 - plan.region) / 2
    centres = layout.corners_px + _STAMP_PX / 2
    inside = ((centres > margin_px) & (centres < size_px - margin_px)).all(axis=1)
    kept = np.flatnonzero(inside & (rng.random(len(centres)) >= plan.dropped))
    false = rng.choice(kept, round(plan.false * len(kept)))
    away = rng.normal(0, 60 / plan.um_per_px, (len(false), 2))
    near = np.clip(centres[false] + away, margin_px, size_px - margin_px)
    return np.concatenate([centres[kept], near]), layout.stamp[np.concatenate([kept, false])]


def _dapi(plan: SlidePlan, centres_um: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Return the morphology image: a square of about 4 um for every nucleus."""
    place = (centres_um / plan.pixel_size_um).astype(int)
    half_px = round(2 / plan.pixel_size_um)
    width_px, height_px = place.max(axis=0) + half_px + 1
    image = np.full((height_px, width_px), DARK, dtype=np.uint16)
    for down in range(-half_px, half_px + 1):
        for right in range(-half_px, half_px + 1):
            image[place[:, 1] + down, place[:, 0] + right] = BRIGHT
    return image


def _write_he(path: Path, plan: SlidePlan, layout: _Layout, stamps: _Stamps) -> None:
    """Stream level 0 to the file; the other levels wait, encoded, for their turn."""
    painter = _Painter(plan, layout, stamps)
    options = {
        "dtype": np.uint8,
        "photometric": "rgb",
        "tile": (_TILE_PX, _TILE_PX),
        "compression": "jpeg",
        "compressionargs": {"level": _QUALITY},
        "resolutionunit": "CENTIMETER",
        "metadata": None,
    }
    with tifffile.TiffWriter(path, bigtiff=True) as tiff:
        for level in range(_LEVELS):
            height, width = plan.height_px >> level, plan.width_px >> level
            per_cm = 1e4 / (plan.um_per_px * 2**level)
            kind = {"subifds": _LEVELS - 1} if level == 0 else {"subfiletype": 1}
            tiff.write(
                painter.level_0() if level == 0 else painter.waiting(level),
                shape=(height, width, 3),
                resolution=(per_cm, per_cm),
                **options,
                **kind,
            )


class _Painter:
    """Draws the H&E block by block, and cuts every block into encoded tiles of all levels."""

    def __init__(self, plan: SlidePlan, layout: _Layout, stamps: _Stamps) -> None:
        self._plan, self._layout, self._stamps = plan, layout, stamps
        self._rng = stream(plan.seed, "paint")
        self._stroma = _stroma(self._rng)
        self._tiles: list[dict[tuple[int, int], bytes]] = [{} for _ in range(_LEVELS)]
        self._glass = _encoded(np.full((_TILE_PX, _TILE_PX, 3), _GLASS, dtype=np.uint8))
        smallest = plan.height_px >> (_LEVELS - 2), plan.width_px >> (_LEVELS - 2), 3
        self._overview = np.full(smallest, _GLASS, dtype=np.uint8)

    def level_0(self) -> Iterator[bytes]:
        """Yield the tiles of level 0, row by row."""
        for top in range(0, self._plan.height_px, _BLOCK_PX):
            for left in range(0, self._plan.width_px, _BLOCK_PX):
                self._cut(self._block(left, top), left, top)
            rows = range(
                top // _TILE_PX,
                min(top + _BLOCK_PX, self._plan.height_px + _TILE_PX - 1) // _TILE_PX,
            )
            yield from self._taken(0, rows)

    def waiting(self, level: int) -> Iterator[bytes]:
        """Yield the tiles of a smaller level, row by row, once level 0 is done."""
        if level == _LEVELS - 1:
            self._cut_level(halve(self._overview), level, 0, 0)
        return self._taken(level, range(-(-(self._plan.height_px >> level) // _TILE_PX)))

    def _taken(self, level: int, rows: range) -> Iterator[bytes]:
        columns = range(-(-(self._plan.width_px >> level) // _TILE_PX))
        for row in rows:
            for column in columns:
                yield self._tiles[level].pop((row, column), self._glass)

    def _cut(self, block: RGB | None, left: int, top: int) -> None:
        """Encode a block at all its levels; bare glass needs nothing."""
        if block is None:
            return
        for level in range(_LEVELS_OF_BLOCK):
            block = halve(block) if level else block
            self._cut_level(block, level, left >> level, top >> level)
        seen = self._overview[top >> level :, left >> level :][: block.shape[0], : block.shape[1]]
        seen[:] = block[: seen.shape[0], : seen.shape[1]]

    def _cut_level(self, image: RGB, level: int, left: int, top: int) -> None:
        for y in range(0, image.shape[0], _TILE_PX):
            for x in range(0, image.shape[1], _TILE_PX):
                tile = image[y : y + _TILE_PX, x : x + _TILE_PX]
                place = (top + y) // _TILE_PX, (left + x) // _TILE_PX
                self._tiles[level][place] = _encoded(tile)

    def _block(self, left: int, top: int) -> RGB | None:
        """Return a block, or None where there is only glass."""
        step = _BLOCK_PX // _RASTER_PX
        row, column = top // _RASTER_PX, left // _RASTER_PX
        tissue = self._layout.tissue[row : row + step, column : column + step]
        if not tissue.any():
            return None
        image = self._stroma_with_margin(tissue)
        self._stamp(image, left - _STAMP_PX, top - _STAMP_PX)
        return image[_STAMP_PX:-_STAMP_PX, _STAMP_PX:-_STAMP_PX]

    def _stroma_with_margin(self, tissue: NDArray[np.bool_]) -> RGB:
        side_px = _BLOCK_PX + 2 * _STAMP_PX
        y, x = self._rng.integers(0, self._stroma.shape[0] - side_px, 2)
        image = self._stroma[y : y + side_px, x : x + side_px].copy()
        inner = image[_STAMP_PX:-_STAMP_PX, _STAMP_PX:-_STAMP_PX]
        for row, column in np.argwhere(~tissue) * _RASTER_PX:
            inner[row : row + _RASTER_PX, column : column + _RASTER_PX] = _GLASS
        inner[tissue.shape[0] * _RASTER_PX :] = _GLASS
        inner[:, tissue.shape[1] * _RASTER_PX :] = _GLASS
        return image

    def _stamp(self, image: RGB, left: int, top: int) -> None:
        """Multiply the stamps of all nuclei that lie wholly in the image whose corner is given."""
        corners = self._layout.corners_px - [left, top]
        inside = (corners >= 0) & (corners <= image.shape[0] - _STAMP_PX)
        here = np.flatnonzero(inside.all(axis=1))
        light = self._stamps.light
        for (x, y), stamp in zip(
            corners[here].tolist(), self._layout.stamp[here].tolist(), strict=True
        ):
            under = image[y : y + _STAMP_PX, x : x + _STAMP_PX]
            under[:] = (under * light[stamp]) >> 8


def _stroma(rng: np.random.Generator) -> RGB:
    """Return eosin with texture, larger than any block."""
    shape = (_BLOCK_PX + 1024, _BLOCK_PX + 1024)
    stain = 0.45 + 0.10 * smooth_noise(rng, shape, 60) + 0.08 * smooth_noise(rng, shape, 12)
    stain += 0.05 * fine_texture(rng, shape, 3)
    image = np.empty((*shape, 3), dtype=np.uint8)
    for channel, absorbance in enumerate(_EOSIN):
        image[..., channel] = _GLASS * np.exp(-np.clip(stain, 0.02, None) * absorbance)
    return image


def _encoded(tile: RGB) -> bytes:
    """Return a tile as JPEG; those at the edge are filled up with glass."""
    if tile.shape[:2] != (_TILE_PX, _TILE_PX):
        whole = np.full((_TILE_PX, _TILE_PX, 3), _GLASS, dtype=np.uint8)
        whole[: tile.shape[0], : tile.shape[1]] = tile
        tile = whole
    return bytes(
        imagecodecs.jpeg8_encode(
            np.ascontiguousarray(tile),
            level=_QUALITY,
            colorspace="RGB",
            outcolorspace="YCBCR",
            subsampling=(2, 2),
        )
    )
