"""The nuclei of a slide in the tokens of its patches, read row by row of the grid; few rows are in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.token_features import NucleusSums, Rule, merged, patch_sums
from sthelar_build.io.he_blocks import Block, blocks
from sthelar_build.io.images.he import HeImage
from sthelar_build.io.masks import Masks
from sthelar_build.io.progress import progress
from sthelar_build.io.workers import map_threads


class Looks(NamedTuple):
    """What an encoder says of images (b, h, w, 3)."""

    tokens: NDArray[np.float32]
    """(b, d, rows, columns): of equal blocks that cover the image."""
    types: NDArray[np.uint8] | None = None
    """(b, h, w): type of every pixel, where the network tells."""


class Encoder(NamedTuple):
    """An encoder of patches."""

    look: Callable[[NDArray[np.uint8]], Looks]
    """Called by several threads."""
    side_px: int
    """Side of the images that it takes; patches are brought to it by area."""
    n_types: int = 0
    """Types that it tells apart; needs images as large as the patches."""


def nucleus_sums(
    he: HeImage,
    masks: Masks,
    appearances: pd.DataFrame,
    patches: pd.DataFrame,
    encoder: Encoder,
    rule: Rule,
    threads: int,
) -> Iterator[NucleusSums]:
    """Yield what the patches say of the nuclei, each nucleus once: when the last row of the grid that shows it is done.

    Parameters
    ----------
    appearances
        ``patch_id``, ``nucleus_id`` of all nuclei in all masks.
    patches
        PATCHES, by patch id; of these the complete ones with a nucleus are looked at.

    Notes
    -----
    Threads take blocks of patches, which are always the same, and are added up in their order: the number of threads
    changes nothing.
    """
    shown = patches.complete & patches.patch_id.isin(appearances.patch_id)
    last_row = _last_rows(appearances, masks.columns)
    todo = list(blocks(patches[shown], masks.side_px, masks.together))

    def work(block: Block) -> tuple[int, NucleusSums]:
        return block.grid_row, _of_block(he, masks, block, encoder, rule)

    done = progress(map_threads(work, todo, threads), "blocks of patches embedded", len(todo))
    waiting: list[NucleusSums] = []
    for grid_row, pairs in groupby(done, lambda pair: pair[0]):
        known = merged([*waiting, *(sums for _, sums in pairs)])
        finished = last_row[known.nucleus_ids] <= grid_row
        yield known.where(finished)
        waiting = [known.where(~finished)]


def _of_block(he: HeImage, masks: Masks, block: Block, encoder: Encoder, rule: Rule) -> NucleusSums:
    looks = encoder.look(block.images(he, encoder.side_px))
    types: Iterable[NDArray[np.uint8] | None] = (
        [None] * len(looks.tokens) if looks.types is None else looks.types
    )
    ids = [int(row.patch_id) for row in block.rows]
    maps = masks.instances_between(ids[0], ids[-1] + 1)
    return merged(
        [
            patch_sums(maps[patch_id - ids[0]], tokens, rule, of_pixel, encoder.n_types)
            for patch_id, tokens, of_pixel in zip(ids, looks.tokens, types, strict=True)
        ]
    )


def _last_rows(appearances: pd.DataFrame, columns: int) -> NDArray[np.int64]:
    """Return the last row of the grid that shows a nucleus, by its id."""
    ids = appearances.nucleus_id.to_numpy(np.int64)
    rows = np.full(int(ids.max(initial=0)) + 1, -1, dtype=np.int64)
    np.maximum.at(rows, ids, appearances.patch_id.to_numpy(np.int64) // columns)
    return rows
