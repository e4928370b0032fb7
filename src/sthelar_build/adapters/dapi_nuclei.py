"""Nuclei of the DAPI image of a bundle, found tile by tile: the image is never in memory."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from sthelar_build.core.image_tiles import Box, Found, cores, each_once, of_tile
from sthelar_build.core.mask_outlines import mask_outlines
from sthelar_build.core.polygons import Geometries
from sthelar_build.errors import InputError
from sthelar_build.io.images.morphology import MorphologyImage, open_morphology
from sthelar_build.io.progress import progress
from sthelar_build.io.xenium.bundle import XeniumBundle
from sthelar_build.settings.resegment import ResegmentSettings

logger = logging.getLogger(__name__)

Segmenter = Callable[[NDArray[np.float32]], NDArray[np.integer[Any]]]
"""Takes a normalised tile (h, w); returns a label map of it: 0 is background."""

_COARSE = 8
"""Percentiles are those of the smallest level of the pyramid that is no coarser than this."""
_STRIP_PX = 1024
_SLACK_SHARE = 0.25
_GREYS = 2**16


@dataclass(frozen=True)
class Layout:
    """How an image is cut in tiles, and the tiles' objects are joined."""

    side_px: int
    margin_px: int
    max_overlap: float


def segmented_nuclei(
    bundle: XeniumBundle, model: Path | None, settings: ResegmentSettings, threads: int
) -> tuple[Geometries, dict[str, Any]]:
    """Return the outlines of nuclei that Cellpose finds, in um, from top to bottom; and how they were found."""
    # The other functions need no torch, which takes seconds to load.
    from sthelar_build.adapters.cellpose import Cellpose

    um_per_px = bundle.pixel_size_um
    network = Cellpose(settings, model, um_per_px, threads)
    layout = Layout(
        settings.tile_px, int(np.ceil(settings.margin_um / um_per_px)), settings.max_overlap
    )
    with open_morphology(bundle.morphology) as image:
        greys = grey_range(image, settings.percentiles)
        if greys[0] >= greys[1]:
            raise InputError(
                f"{bundle.morphology}: expected a DAPI image with nuclei, found percentiles of {greys[0]:g} and {greys[1]:g}; "
                "copy the file again from its source, or widen resegment.percentiles"
            )
        shapes_px = nuclei_in_tiles(image, network, greys, layout)
    shapes_um = shapely.transform(shapes_px, lambda xy: xy * um_per_px)
    if settings.simplify_um:
        shapes_um = shapely.simplify(shapes_um, settings.simplify_um)
    return shapes_um, {**network.facts, "grey_range": list(greys)}


def grey_range(image: MorphologyImage, percentiles: tuple[float, float]) -> tuple[float, float]:
    """Return the grey values at two percentiles of an image of 16 bits, from a small level of its pyramid."""
    level = image.level_of_downsample(_COARSE)
    factor = image.downsample(level)
    width, height = int(image.width_px / factor), int(image.height_px / factor)
    counts = np.zeros(_GREYS, dtype=np.int64)
    for top in range(0, height, _STRIP_PX):
        strip = image.read(0, top, width, min(_STRIP_PX, height - top), level)
        counts += np.bincount(strip.astype(np.uint16).ravel(), minlength=_GREYS)
    below = np.cumsum(counts)
    low, high = (int(np.searchsorted(below, p / 100 * below[-1])) for p in percentiles)
    return float(low), float(min(high, _GREYS - 1))


def nuclei_in_tiles(
    image: MorphologyImage, segment: Segmenter, greys: tuple[float, float], layout: Layout
) -> Geometries:
    """Return the outlines of nuclei in px of the image, each once.

    A tile is segmented with a margin around it. A nucleus is taken from the tile in which its centroid lies; see
    ``image_tiles.each_once`` for those at borders.
    """
    whole = Box(0, 0, image.width_px, image.height_px)
    tiles = cores(whole, layout.side_px)
    slack_px = _SLACK_SHARE * layout.margin_px
    parts: list[Found] = []
    for number, core in enumerate(progress(tiles, "tiles of the DAPI image", len(tiles))):
        window = core.grown(layout.margin_px, whole)
        grey = image.read(window.left, window.top, window.width, window.height)
        tile = (grey - np.float32(greys[0])) / np.float32(greys[1] - greys[0])
        shapes = mask_outlines(segment(tile), window.left, window.top) if tile.max() > 0 else _NONE
        parts.append(of_tile(shapes, number, core, window, whole, slack_px))
    found = Found.joined(parts)
    nuclei = each_once(found, layout.max_overlap)
    logger.info(
        "%d nuclei of %d tiles: kept of the %d that tiles show in or just beyond their core",
        len(nuclei),
        len(tiles),
        len(found.shapes),
    )
    return nuclei


_NONE = np.empty(0, dtype=object)
