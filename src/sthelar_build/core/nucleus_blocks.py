"""Nuclei in square blocks of a slide, as packed bytes that a page reads one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sthelar_build.core.coded_outlines import STEPS_PER_PX, CodedOutlines

NO_CLUSTER = 2**16 - 1
"""Stands for the cluster of cells that have none."""

_LARGEST_BLOCK_PX = (2**16 - 1) // STEPS_PER_PX


@dataclass(frozen=True)
class Block:
    """The nuclei whose centres lie in one square."""

    column: int
    row: int
    nuclei: NDArray[np.int64]
    """Their rows, ascending."""


def block_side_px(block_um: float, he_um_per_px: float) -> int:
    """Return the side of a block in level-0 H&E pixels: whole, and no more than two bytes count in quarters."""
    return min(round(block_um / he_um_per_px), _LARGEST_BLOCK_PX)


def blocks_of(centres_px: NDArray[np.float64], side_px: int) -> Iterator[Block]:
    """Yield the blocks that hold nuclei, row by row of the slide; ``centres_px`` (n, 2) are not negative."""
    places = (centres_px // side_px).astype(np.int64)
    order = np.lexsort((places[:, 0], places[:, 1]))
    if not len(order):
        return
    changes = np.flatnonzero(np.any(np.diff(places[order], axis=0), axis=1)) + 1
    for rows in np.split(order, changes):
        column, row = places[rows[0]].tolist()
        yield Block(column, row, np.sort(rows))


def packed(table: pd.DataFrame, outlines: CodedOutlines, left_px: float, top_px: float) -> bytes:
    """Return nuclei as little-endian bytes, column after column.

    uint16 x and y in quarters of a pixel from the corner of the block, cluster, fine label; uint8 class, confidence
    (255 is 1), reason of the decision, number of corners, coarseness; then int8 steps, x and y in turn.
    """
    corner = np.array([left_px, top_px])
    place = np.rint((table[["x_px", "y_px"]].to_numpy() - corner) * STEPS_PER_PX)
    place = np.clip(place, 0, 2**16 - 1)
    confidence = np.rint(table["confidence"].to_numpy() * 255)
    numbers = _columns(
        [place[:, 0], place[:, 1], table["cluster"], table["fine"]],
        [table["class_index"], confidence, table["decided"]],
    )
    corners = outlines.n_corners, outlines.coarseness, outlines.steps
    return numbers + b"".join(column.tobytes() for column in corners)


def packed_overview(table: pd.DataFrame, unit_px: float) -> bytes:
    """Return nuclei as dots: uint16 x and y in ``unit_px``, cluster; uint8 class, confidence. Column after column."""
    return _columns(
        [np.rint(table["x_px"] / unit_px), np.rint(table["y_px"] / unit_px), table["cluster"]],
        [table["class_index"], np.rint(table["confidence"] * 255)],
    )


def _columns(shorts: Iterable[ArrayLike], octets: Iterable[ArrayLike]) -> bytes:
    """Return columns one after the other: little-endian uint16, then uint8."""
    return b"".join(
        [
            *(np.asarray(column).astype("<u2").tobytes() for column in shorts),
            *(np.asarray(column).astype(np.uint8).tobytes() for column in octets),
        ]
    )
