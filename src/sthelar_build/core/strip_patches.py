"""Patches cut from a drawn strip: without slivers, and with what is visible in each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
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
        found, n_slivers = [], 0
        for number, left in enumerate(lefts_px.tolist()):
            patch, visible, removed = self._patch(left - self.left_px, min_visible_px)
            n_slivers += removed
            ids = np.concatenate([np.zeros(1, np.uint32), self.nucleus_id])
            ids[visible == 0] = 0
            np.take(ids, patch, out=maps[number], mode="clip")
            found.append(_entries(number, patch, visible))
        return maps, self._gather(found), n_slivers

    def _patch(self, left: int, min_visible_px: int) -> tuple[NDArray[np.int32], Ints, int]:
        """Return a patch, the pixels that each number keeps in it (0: not drawn), and the nuclei left out.

        Numbers without pixels to keep may still stand in the patch, where nothing lies beneath them.
        """
        side_px = len(self.canvas)
        patch = self.canvas[:, left : left + side_px]
        visible = self._count(patch)
        slivers = (visible > 0) & (visible < min_visible_px)
        if self.overlaps and slivers[patch[self.overlaps.shared[:, left : left + side_px]]].any():
            kept = visible[1:] >= min_visible_px
            inside = self.overlaps.spans.window(left, side_px)
            patch, _ = paint(inside.where(kept[inside.polygon]), (side_px, side_px))
            visible = self._count(patch)
        visible[slivers] = 0
        return patch, visible, int(slivers.sum())

    def _count(self, patch: NDArray[np.int32]) -> Ints:
        visible = np.bincount(patch.ravel(), minlength=len(self.nucleus_id) + 1)
        visible[0] = 0
        return visible

    def _gather(self, found: list[tuple[Ints, ...]]) -> Visible:
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


def _entries(number: int, patch: NDArray[np.int32], visible: Ints) -> tuple[Ints, ...]:
    touches = np.zeros(len(visible), dtype=np.int64)
    for edge in (patch[0], patch[-1], patch[:, 0], patch[:, -1]):
        touches[edge] = 1
    place = np.flatnonzero(visible)
    return np.full(len(place), number), place - 1, visible[place], touches[place]
