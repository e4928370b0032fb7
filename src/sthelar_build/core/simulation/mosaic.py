"""A large slide as a mosaic: few simulated blocks, laid out many times, mirrored by chance; never whole in memory.

Cells and images of a block are the same at all its places; its molecules are not, where the mosaic has a ``Redraw``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.simulation.fields import stream
from sthelar_build.core.simulation.mosaic_image import MosaicImage, Pixels, Place
from sthelar_build.core.simulation.placed import First, placed
from sthelar_build.core.simulation.redraw import Redraw
from sthelar_build.core.simulation.slide import SimulatedSlide


@dataclass(frozen=True)
class Part:
    """One block at its place: everything that it adds to the slide."""

    slide: SimulatedSlide
    """The block with the coordinates and ids that it has in the mosaic; ``morphology`` is as the block has it."""
    block: int
    """Number of the block; parts of one block have as many cells, nuclei and transcripts, row by row at the same places."""
    place: Place
    """How the block lies."""
    first: First
    """How many cells, nuclei and transcripts come before."""
    top_px: int
    """Row of the morphology image where the part begins."""
    left_px: int
    """Column of the morphology image where the part begins."""


@dataclass(frozen=True)
class Mosaic:
    """Blocks of one size, and the grid of places that they fill row by row."""

    blocks: tuple[SimulatedSlide, ...]
    places: tuple[tuple[Place, ...], ...]
    """Rows of places, from the top; each from the left."""
    numbered: bool = False
    """Cells are numbered from 1 over the whole mosaic (before XOA 1.3)."""
    redraw: Redraw | None = None
    """Draws the molecules of every part anew; None leaves copies of the blocks."""
    _is_slide: bool = field(default=False, repr=False)

    @classmethod
    def of(cls, slide: SimulatedSlide) -> Mosaic:
        """Return a slide as the mosaic of itself: its one part is the slide, untouched."""
        return cls((slide,), ((Place(0, False, False),),), _is_slide=True)

    @property
    def is_slide(self) -> bool:
        """Whether it is one slide as it was simulated."""
        return self._is_slide

    @property
    def features(self) -> pd.DataFrame:
        """The codewords, the same in all blocks."""
        return self.blocks[0].features

    @property
    def channels(self) -> list[str]:
        """Names of the morphology images."""
        return list(self.blocks[0].morphology)

    @property
    def copies(self) -> NDArray[np.int64]:
        """How often every block is laid out."""
        chosen = [place.block for row in self.places for place in row]
        return np.bincount(chosen, minlength=len(self.blocks)).astype(np.int64)

    @property
    def shape_px(self) -> tuple[int, int]:
        """Height and width of the morphology image, in pixels."""
        height_px, width_px = self.blocks[0].shape_px
        return len(self.places) * height_px, len(self.places[0]) * width_px

    @property
    def sizes(self) -> First:
        """How many cells, nuclei and transcripts there are in all."""
        each = [First.after(block) for block in self.blocks]
        copies = self.copies
        return First(
            sum(int(n) * size.cells for n, size in zip(copies, each, strict=True)),
            sum(int(n) * size.nuclei for n, size in zip(copies, each, strict=True)),
            sum(int(n) * size.transcripts for n, size in zip(copies, each, strict=True)),
        )

    def morphology(self, channel: str) -> Pixels | MosaicImage:
        """Return the image of a channel."""
        images = tuple(block.morphology[channel] for block in self.blocks)
        return images[0] if self._is_slide else MosaicImage(images, self.places)

    def parts(self, *, molecules: bool = True) -> Iterator[Part]:
        """Yield every block at its place, row by row; memory holds one at a time.

        Without ``molecules`` the parts of a mosaic have no transcripts, which take most of the time.
        """
        if self._is_slide:
            yield Part(self.blocks[0], 0, self.places[0][0], First(), 0, 0)
            return
        first = First()
        height_px, width_px = self.blocks[0].shape_px
        for row, places in enumerate(self.places):
            for column, place in enumerate(places):
                block = self._block(place.block, (row, column), molecules=molecules)
                top_px, left_px = row * height_px, column * width_px
                slide = placed(block, place, (top_px, left_px), first, self.numbered)
                yield Part(slide, place.block, place, first, top_px, left_px)
                first = first + First.after(self.blocks[place.block])

    def _block(self, number: int, at: tuple[int, int], *, molecules: bool) -> SimulatedSlide:
        """Return a block, not yet moved, with the molecules that it has at this row and column of places."""
        block = self.blocks[number]
        if not molecules:
            return replace(block, transcripts=block.transcripts[:0])
        if self.redraw is None:
            return block
        return replace(block, transcripts=self.redraw(block, f"part {at[0]} {at[1]}"))


def chosen_places(
    seed: int, rows: int, columns: int, n_blocks: int
) -> tuple[tuple[Place, ...], ...]:
    """Choose block and mirroring of every place by chance; every block is laid out if there are places enough.

    >>> [[place.block for place in row] for row in chosen_places(1, 1, 3, 1)]
    [[0, 0, 0]]
    """
    rng = stream(seed, "mosaic")
    number = rng.permutation(np.arange(rows * columns) % n_blocks)
    flips = rng.random((rows * columns, 2)) < 0.5
    every = [
        Place(int(block), bool(flip_x), bool(flip_y))
        for block, (flip_x, flip_y) in zip(number, flips, strict=True)
    ]
    ends = range(0, rows * columns + 1, columns)
    return tuple(tuple(every[start:end]) for start, end in pairwise(ends))
