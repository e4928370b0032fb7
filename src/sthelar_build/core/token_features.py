"""Features of nuclei from the tokens of an image encoder: which tokens a nucleus touches, and their sums over patches."""

# mypy: allow-untyped-decorators

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import scipy.sparse as sp
from numba import njit
from numpy.typing import NDArray

from sthelar_build.core.dense_ids import dense_ids

Floats = NDArray[np.float32]
Rule = Literal["mean", "published"]


class NucleusSums(NamedTuple):
    """What is known of nuclei so far; ids ascend."""

    nucleus_ids: NDArray[np.int64]
    """(n,)"""
    sums: Floats
    """(n, d): tokens times their weights."""
    weights: NDArray[np.float64]
    """(n,): what the sums are to be divided by: pixels, or patches."""
    type_px: NDArray[np.int64]
    """(n, t): its pixels of every type of the network."""

    @property
    def features(self) -> Floats:
        """(n, d): the weighted means."""
        return np.asarray(self.sums / self.weights[:, None], dtype=np.float32)

    def where(self, kept: NDArray[np.bool_]) -> Self:
        """Return those of some rows."""
        return type(self)(
            self.nucleus_ids[kept], self.sums[kept], self.weights[kept], self.type_px[kept]
        )


def patch_sums(
    instances: NDArray[Any],
    tokens: Floats,
    rule: Rule = "mean",
    types: NDArray[np.uint8] | None = None,
    n_types: int = 0,
) -> NucleusSums:
    """Return what one patch says of its nuclei.

    Parameters
    ----------
    instances
        Instance map (h, w); 0 is background.
    tokens
        (d, rows, columns) of the encoder: together they cover the patch in equal blocks, of 16 x 16 px for CellViT. Blocks
        need not be whole pixels, but not smaller than one.
    rule
        mean: every token weighs as much as the nucleus has pixels in its block, and the sum is divided by all these
        pixels, over all patches. published: the tokens of all blocks that the nucleus touches, be it by one pixel, are
        added up, and the sums are averaged over the patches, cut nuclei like whole ones (STHELAR).
    types, n_types
        Type of every pixel (h, w), below ``n_types``; None counts none.

    Notes
    -----
    With ``rule="published"`` and whole blocks this is adaptive max pooling of the nucleus' mask, as published; of 256 px
    and 14 blocks too, whose bins overlap by the pixels that two blocks share.
    """
    ids, dense = dense_ids(instances)
    weights = touched_blocks(dense, len(ids), tokens.shape[1:])
    if rule == "published":
        weights.data[:] = 1
    by_block = np.ascontiguousarray(tokens.reshape(len(tokens), -1).T, dtype=np.float32)
    visible_px = np.bincount(dense.ravel(), minlength=len(ids) + 1)[1:]
    return NucleusSums(
        ids,
        weights @ by_block,
        np.ones(len(ids)) if rule == "published" else visible_px.astype(np.float64),
        _type_px(dense, len(ids), types, n_types),
    )


def touched_blocks(dense: NDArray[np.int32], n: int, shape: tuple[int, ...]) -> sp.csr_array:
    """Return the area, in px, of every nucleus 1..n of a map (h, w) in every block of a grid of this shape.

    (n, rows * columns), float32, with an entry where a nucleus touches a block.
    """
    rows, columns = shape
    height, width = dense.shape
    if rows > height or columns > width:
        raise ValueError(f"expected at most one block a pixel, found {shape} for {dense.shape}")
    areas = np.zeros((n, rows * columns), dtype=np.float32)
    # The second block that a pixel reaches into gets what is left of the pixel.
    _add_areas(dense, areas, columns, *_shares(height, rows), *_shares(width, columns))
    return sp.csr_array(areas)


def merged(parts: Sequence[NucleusSums]) -> NucleusSums:
    """Return the sums over all parts, of every nucleus that one of them knows."""
    joined = NucleusSums(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    ids, places = np.unique(joined.nucleus_ids, return_inverse=True)
    one = np.ones(len(places), dtype=np.float32)
    # A row adds up its parts in their order.
    adding = sp.coo_array((one, (places, np.arange(len(places)))), (len(ids), len(places))).tocsr()
    return NucleusSums(
        ids,
        adding @ joined.sums,
        adding.astype(np.float64) @ joined.weights,
        adding.astype(np.int64) @ joined.type_px,
    )


def _type_px(
    dense: NDArray[np.int32], n: int, types: NDArray[np.uint8] | None, n_types: int
) -> NDArray[np.int64]:
    if types is None:
        return np.zeros((n, 0), dtype=np.int64)
    keys = dense.astype(np.int64) * n_types + types
    return np.bincount(keys.ravel(), minlength=(n + 1) * n_types).reshape(n + 1, n_types)[1:]


def _shares(side_px: int, blocks: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return of every pixel of an axis the first block that it reaches into, and its share in there."""
    first = np.arange(side_px) * blocks // side_px
    # In whole numbers: block b ends at (b + 1) * side_px / blocks.
    left = (first + 1) * side_px - np.arange(side_px) * blocks
    return first, np.minimum(left / blocks, 1).astype(np.float32)


@njit(nogil=True, cache=True)
def _add_areas(
    dense: Any, areas: Any, columns: int, block_y: Any, share_y: Any, block_x: Any, share_x: Any
) -> None:
    for y in range(dense.shape[0]):
        for x in range(dense.shape[1]):
            nucleus = dense[y, x] - 1
            if nucleus < 0:
                continue
            block = block_y[y] * columns + block_x[x]
            inside_y, inside_x = share_y[y], share_x[x]
            areas[nucleus, block] += inside_y * inside_x
            if inside_x < 1:
                areas[nucleus, block + 1] += inside_y * (1 - inside_x)
            if inside_y < 1:
                areas[nucleus, block + columns] += (1 - inside_y) * inside_x
                if inside_x < 1:
                    areas[nucleus, block + columns + 1] += (1 - inside_y) * (1 - inside_x)
