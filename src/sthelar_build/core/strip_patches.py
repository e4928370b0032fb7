"""Patches cut from a drawn strip: without slivers, and with what is visible in each."""

# mypy: allow-untyped-decorators

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sthelar_build.core.raster import Ints, Map, Spans, paint


@dataclass(frozen=True)
class Visible:
    """One entry per nucleus and patch, by patch and nucleus id; ``patch`` counts within the strip."""

    patch: Ints
    nucleus_id: NDArray[np.uint32]
    class_index: NDArray[np.uint8]
    visible_px: Ints
    visible_fraction: NDArray[np.float32]
    touches_border: NDArray[np.bool_]


@dataclass(frozen=True)
class Overlaps:
    """What a drawn strip no longer shows: all that was drawn, and where more than one nucleus was."""

    spans: Spans
    shared: NDArray[np.bool_]


@dataclass(frozen=True)
class Strip:
    """A drawn row of the grid: nucleus number + 1 per pixel; nuclei are numbered within the strip."""

    left_px: int
    """Left edge, in pixels of the scale."""
    canvas: NDArray[np.int32]
    nucleus_id: NDArray[np.uint32]
    """(n,) by number, as the two that follow."""
    class_index: NDArray[np.uint8]
    area_px: NDArray[np.float64]
    """Area of the whole nucleus."""
    overlaps: Overlaps | None = None
    """None where nuclei cannot overlap."""

    def patches(self, lefts_px: Ints, min_visible_px: int) -> tuple[Map, Visible, int]:
        """Cut the patches of the strip, as high as it and square; see ``strips.draw_strip``."""
        side_px = len(self.canvas)
        maps = np.zeros((len(lefts_px), side_px, side_px), dtype=np.uint32)
        ids = np.concatenate([np.zeros(1, np.uint32), self.nucleus_id])
        found: list[tuple[NDArray[Any], ...]] = []
        n_slivers = 0
        for number, left in enumerate(lefts_px.tolist()):
            patch, visible, touches, removed = self._patch(left - self.left_px, min_visible_px)
            n_slivers += removed
            _look_up(patch, np.where(visible > 0, ids, np.uint32(0)), maps[number])
            place = np.flatnonzero(visible)
            found.append((np.full(len(place), number), place - 1, visible[place], touches[place]))
        return maps, self._gather(found), n_slivers

    def _patch(
        self, left: int, min_visible_px: int
    ) -> tuple[NDArray[np.int32], Ints, NDArray[np.bool_], int]:
        """Return a patch; by number, the pixels to keep (0: not drawn) and whether it is at the border; and the nuclei left out.

        Numbers without pixels to keep may still stand in the patch, where nothing lies beneath them.
        """
        side_px = len(self.canvas)
        patch = self.canvas[:, left : left + side_px]
        visible, touches = self._count(patch)
        slivers = (visible > 0) & (visible < min_visible_px)
        if self.overlaps and slivers[patch[self.overlaps.shared[:, left : left + side_px]]].any():
            kept = visible[1:] >= min_visible_px
            inside = self.overlaps.spans.window(left, side_px)
            patch, _ = paint(inside.where(kept[inside.polygon]), (side_px, side_px))
            visible, touches = self._count(patch)
        visible[slivers] = 0
        return patch, visible, touches, int(slivers.sum())

    def _count(self, patch: NDArray[np.int32]) -> tuple[Ints, NDArray[np.bool_]]:
        n = len(self.nucleus_id) + 1
        visible, touches = np.zeros(n, np.int64), np.zeros(n, np.bool_)
        _count(patch, visible, touches)
        return visible, touches

    def _gather(self, found: list[tuple[NDArray[Any], ...]]) -> Visible:
        empty = (np.empty(0, np.int64),) * 4
        patch, place, visible, touches = map(np.concatenate, zip(empty, *found, strict=True))
        order = np.lexsort((self.nucleus_id[place], patch))
        patch, place, visible, touches = (
            column[order] for column in (patch, place, visible, touches)
        )
        share = np.minimum(visible / self.area_px[place], 1).astype(np.float32)
        return Visible(
            patch=patch,
            nucleus_id=self.nucleus_id[place],
            class_index=self.class_index[place],
            visible_px=visible,
            visible_fraction=share,
            touches_border=touches.astype(np.bool_),
        )


def strip_shape(lefts_px: Ints, side_px: int) -> tuple[int, int]:
    """Return rows and columns of the strip that holds square patches, left to right."""
    return side_px, int(lefts_px[-1] - lefts_px[0]) + side_px if len(lefts_px) else 0


@njit(nogil=True, cache=True)
def _count(patch: NDArray[np.int32], visible: Ints, touches: NDArray[np.bool_]) -> None:
    """Count the pixels of every number, the background aside, and note who has one at the border."""
    height, width = patch.shape
    for y in range(height):
        for x in range(width):
            visible[patch[y, x]] += 1
    for x in range(width):
        touches[patch[0, x]] = touches[patch[height - 1, x]] = True
    for y in range(height):
        touches[patch[y, 0]] = touches[patch[y, width - 1]] = True
    visible[0] = 0


@njit(nogil=True, cache=True)
def _look_up(patch: NDArray[np.int32], ids: NDArray[np.uint32], found: Map) -> None:
    height, width = patch.shape
    for y in range(height):
        for x in range(width):
            found[y, x] = ids[patch[y, x]]
