"""An image in tiles with margins, and which of the objects that tiles find stay, so that each is there once and whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from sthelar_build.core.polygons import Geometries

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels: columns ``left`` to ``right - 1``, rows ``top`` to ``bottom - 1``."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    def grown(self, by_px: int, within: Box) -> Box:
        """Return the box with a margin, as far as ``within`` goes."""
        return Box(
            max(self.left - by_px, within.left),
            max(self.top - by_px, within.top),
            min(self.right + by_px, within.right),
            min(self.bottom + by_px, within.bottom),
        )

    def holds(self, x: NDArray[np.float64], y: NDArray[np.float64], slack: float = 0) -> Bools:
        """Return whether points lie in the box, or up to ``slack`` beyond; its right and lower border are not in it."""
        across = (x >= self.left - slack) & (x < self.right + slack)
        return np.asarray(across & (y >= self.top - slack) & (y < self.bottom + slack))


def cores(image: Box, side_px: int) -> list[Box]:
    """Return the tiles of an image, row by row: they cover it and do not overlap; the last ones may be smaller."""
    return [
        Box(x, y, min(x + side_px, image.right), min(y + side_px, image.bottom))
        for y in range(image.top, image.bottom, side_px)
        for x in range(image.left, image.right, side_px)
    ]


@dataclass(frozen=True)
class Found:
    """Objects of one tile, or of all."""

    shapes: Geometries
    """(n,) outlines in px of the image."""
    core: Bools
    """(n,) whether the centroid lies in the core of the tile; else it lies just beyond."""
    whole: Bools
    """(n,) whether the tile, with its margin, shows all of it."""
    tile: Ints
    """(n,) number of the tile."""

    @classmethod
    def joined(cls, parts: list[Found]) -> Found:
        """Return the objects of all parts; there is one part or more."""
        return cls(*(np.concatenate([getattr(p, name) for p in parts]) for name in _FIELDS))


_FIELDS = ("shapes", "core", "whole", "tile")


def of_tile(
    shapes: Geometries, number: int, core: Box, window: Box, image: Box, slack_px: float
) -> Found:
    """Return the objects of a tile that may be its own: with the centroid in its core, or up to ``slack_px`` beyond.

    Parameters
    ----------
    shapes
        (n,) outlines in px of the image.
    number
        Number of the tile.
    core, window, image
        The tile, the tile with its margin, and the whole image.
    slack_px
        Two tiles may see an object a little differently, and place its centroid on either side of their border.
    """
    x, y = shapely.get_coordinates(shapely.centroid(shapes)).reshape(-1, 2).T
    mine = core.holds(x, y, slack_px)
    left, top, right, bottom = shapely.bounds(shapes).reshape(-1, 4).T
    cut = ((left <= window.left) & (window.left > image.left)) | (
        (top <= window.top) & (window.top > image.top)
    )
    cut |= ((right >= window.right) & (window.right < image.right)) | (
        (bottom >= window.bottom) & (window.bottom < image.bottom)
    )
    tile = np.full(int(mine.sum()), number, dtype=np.int64)
    return Found(shapes[mine], core.holds(x, y)[mine], ~cut[mine], tile)


def each_once(found: Found, max_overlap: float) -> Geometries:
    """Return the objects without those that another tile shows better, by the row of their centroid and then its column.

    Of two objects of different tiles that share more than ``max_overlap`` of the area of the smaller one, the better stays: one
    that is whole before one that is cut, then one in the core of its tile, then the larger, then the upper and left one.
    """
    x, y = shapely.get_coordinates(shapely.centroid(found.shapes)).reshape(-1, 2).T
    area = shapely.area(found.shapes)
    better = np.lexsort((found.tile, x, y, -area, ~found.core, ~found.whole))
    rank = np.empty(len(better), dtype=np.int64)
    rank[better] = np.arange(len(better))
    one, two = _rivals(found, area, max_overlap)
    first = rank[one] < rank[two]
    winner, loser = one[first], two[first]
    stays = np.ones(len(area), dtype=np.bool_)
    # From the best on: what is out itself puts nothing out.
    for pair in np.argsort(rank[winner], kind="stable"):
        if stays[winner[pair]]:
            stays[loser[pair]] = False
    order = np.lexsort((x, y))
    return np.asarray(found.shapes[order[stays[order]]])


def _rivals(found: Found, area: NDArray[np.float64], max_overlap: float) -> tuple[Ints, Ints]:
    one, two = shapely.STRtree(found.shapes).query(found.shapes, predicate="intersects")
    other = found.tile[one] != found.tile[two]
    one, two = one[other], two[other]
    shared = shapely.area(shapely.intersection(found.shapes[one], found.shapes[two]))
    rivals = shared > max_overlap * np.minimum(area[one], area[two])
    return one[rivals], two[rivals]
