"""The image of a mosaic: blocks of pixels side by side, some mirrored, put together window by window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True)
class Place:
    """What lies at one place of a mosaic."""

    block: int
    """Number of the block."""
    flip_x: bool
    """Left and right are exchanged."""
    flip_y: bool
    """Top and bottom are exchanged."""

    def turned(self, block: NDArray[Any]) -> NDArray[Any]:
        """Return a view of the pixels (y, x, ...) of the block as they lie here."""
        block = block[::-1] if self.flip_y else block
        return block[:, ::-1] if self.flip_x else block


Piece = tuple[Place, int, int, int, int]
"""A place, and the rows and columns of its block, as they lie there, that a window shows."""


@dataclass(frozen=True)
class MosaicImage:
    """One level of an image; the blocks (y, x) or (y, x, 3) have one shape and one dtype."""

    blocks: tuple[Pixels, ...]
    places: tuple[tuple[Place, ...], ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Height and width in pixels, and 3 for colours."""
        height, width, *colours = self.blocks[0].shape
        return (len(self.places) * height, len(self.places[0]) * width, *colours)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Kind of pixel."""
        return self.blocks[0].dtype

    @property
    def nbytes(self) -> int:
        """Size of the whole image in memory, where it never is."""
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def smaller(self, halve: Callable[[Any], Any]) -> MosaicImage:
        """Return the next level; ValueError unless the blocks have even sides, so that they still meet."""
        height, width = self.blocks[0].shape[:2]
        if height % 2 or width % 2:
            raise ValueError(f"expected blocks of even sides, got {height} x {width} px")
        return MosaicImage(tuple(halve(block) for block in self.blocks), self.places)

    def pieces(self, top: int, left: int, side: int) -> list[list[Piece]]:
        """Return what a square window shows, rows of pieces; nothing beyond the image.

        Equal pieces have equal pixels, wherever they lie.
        """
        height, width = self.blocks[0].shape[:2]
        return [
            [
                (self.places[row][column], y0, y1, x0, x1)
                for column, x0, x1 in _spans(left, side, width, len(self.places[0]))
            ]
            for row, y0, y1 in _spans(top, side, height, len(self.places))
        ]

    def pixels(self, pieces: list[list[Piece]]) -> NDArray[Any]:
        """Return the pixels of the pieces of a window."""
        return np.concatenate(
            [np.concatenate([self._of(piece) for piece in row], axis=1) for row in pieces]
        )

    def _of(self, piece: Piece) -> NDArray[Any]:
        place, y0, y1, x0, x1 = piece
        return place.turned(self.blocks[place.block])[y0:y1, x0:x1]


def _spans(start: int, length: int, side: int, count: int) -> list[tuple[int, int, int]]:
    """Cut an interval where blocks meet: number of the block, and where in it the piece begins and ends."""
    end = min(start + length, side * count)
    return [
        (number, max(start - number * side, 0), min(end - number * side, side))
        for number in range(start // side, -(-end // side))
    ]
