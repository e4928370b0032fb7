"""Patches that lie side by side: their rows in runs, and the one window of the H&E that they share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.he_window import HeWindow
from sthelar_build.io.images.he import HeImage


@dataclass(frozen=True)
class Block:
    """The patches of one row of the grid that are written together: a chunk of maps."""

    grid_row: int
    chunk: int
    runs: list[list[Any]]
    """Rows of PATCHES, in runs without a gap."""

    @property
    def rows(self) -> list[Any]:
        """The rows of all runs, left to right."""
        return [row for run in self.runs for row in run]

    def images(self, he: HeImage, side_px: int) -> NDArray[np.uint8]:
        """Return the patches, RGB (n, side_px, side_px, 3)."""
        pixels = np.empty((len(self.rows), side_px, side_px, 3), dtype=np.uint8)
        place = 0
        for run in self.runs:
            window = window_under(he, run)
            for row in run:
                pixels[place] = area_of(window, row, side_px)
                place += 1
        return pixels


def blocks(table: pd.DataFrame, side_px: int, together: int) -> Iterator[Block]:
    """Yield the patches of a table of PATCHES in blocks of ``together`` columns, row by row."""

    def place(run: list[Any]) -> tuple[int, int]:
        return int(run[0].grid_row), int(run[0].grid_column) // together

    for (grid_row, chunk), runs in groupby(neighbours(table, side_px, together), place):
        yield Block(grid_row, chunk, list(runs))


def neighbours(table: pd.DataFrame, side_px: int, together: int) -> Iterator[list[Any]]:
    """Yield runs of rows of PATCHES whose patches lie side by side, without a gap.

    A run lies in one row of the grid, and in one block of ``together`` columns, counted from the first: what is kept
    of them is written and read block by block.
    """
    run: list[Any] = []
    rows: Iterator[Any] = table.itertuples(index=False)
    for row in rows:
        if run and (
            row.grid_row != run[-1].grid_row
            or row.grid_column // together != run[-1].grid_column // together
            or row.x_px > run[-1].x_px + side_px
        ):
            yield run
            run = []
        run.append(row)
    if run:
        yield run


def window_under(he: HeImage, rows: list[Any]) -> HeWindow:
    """Return the pixels of level 0 under a run of neighbours."""
    first, last = rows[0], rows[-1]
    width = last.x_he_px + last.side_he_px - first.x_he_px
    return he.window(first.x_he_px, first.y_he_px, width, first.side_he_px)


def area_of(window: HeWindow, row: Any, side_px: int) -> NDArray[np.uint8]:
    """Return the patch of a row, RGB (side_px, side_px, 3)."""
    return window.area(row.x_he_px, row.y_he_px, row.side_he_px, side_px)
