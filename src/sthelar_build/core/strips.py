"""All patches of one row of the grid at once: every nucleus is drawn once, however many patches overlap it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from sthelar_build.core.raster import Ints, Map, Outlines, Spans, draw_order, paint, scan
from sthelar_build.schema.frames import PointMap


@dataclass(frozen=True)
class Nuclei:
    """All nuclei of a slide in pixels of the scale, in drawing order (``raster.draw_order``)."""

    outlines: Outlines
    top_px: NDArray[np.float64]
    bottom_px: NDArray[np.float64]
    area_px: NDArray[np.float64]
    nucleus_id: NDArray[np.uint32]
    class_index: NDArray[np.uint8]

    @classmethod
    def of(
        cls,
        geometries_um: NDArray[Any],
        nucleus_id: NDArray[np.uint32],
        class_index: NDArray[np.uint8],
        um_to_he: PointMap,
        downsample: float,
    ) -> Nuclei:
        """Bring nuclei from micrometres to pixels of a scale, and in drawing order."""
        area_um2 = shapely.area(geometries_um)
        order = draw_order(area_um2, nucleus_id)
        outlines = Outlines.of(geometries_um[order])
        vertices = um_to_he.apply(outlines.vertices) / downsample
        first = outlines.start[:-1]
        return cls(
            outlines=replace(outlines, vertices=vertices),
            top_px=np.minimum.reduceat(vertices[:, 1], first) if len(first) else np.empty(0),
            bottom_px=np.maximum.reduceat(vertices[:, 1], first) if len(first) else np.empty(0),
            area_px=area_um2[order] * (um_to_he.scale / downsample) ** 2,
            nucleus_id=nucleus_id[order],
            class_index=class_index[order],
        )

    def between(self, top_px: int, bottom_px: int) -> Nuclei:
        """Return the nuclei that may have a pixel in these rows."""
        near = np.flatnonzero((self.bottom_px > top_px) & (self.top_px < bottom_px))
        return Nuclei(
            self.outlines.take(near),
            self.top_px[near],
            self.bottom_px[near],
            self.area_px[near],
            self.nucleus_id[near],
            self.class_index[near],
        )


@dataclass(frozen=True)
class Visible:
    """One entry per nucleus and patch, by patch and nucleus id; ``patch`` counts within the strip."""

    patch: Ints
    nucleus_id: NDArray[np.uint32]
    class_index: NDArray[np.uint8]
    visible_px: Ints
    visible_fraction: NDArray[np.float32]
    touches_border: NDArray[np.bool_]


def draw_strip(
    nuclei: Nuclei, lefts_px: Ints, top_px: int, side_px: int, min_visible_px: int
) -> tuple[Map, Visible, int]:
    """Draw the patches of one row of the grid.

    Parameters
    ----------
    nuclei
        Nuclei in pixels of the scale; all of the slide, or those near these rows.
    lefts_px, top_px
        Left edge of each patch, and the top edge that they share, in pixels of the scale.
    side_px
        Side of a patch.
    min_visible_px
        A nucleus with fewer pixels in a patch is not drawn there, and what lies beneath it shows.

    Returns
    -------
    Maps (patches, side, side) uint32 of nucleus ids, as ``raster.instance_map`` draws them patch by patch; what is
    visible in them; and how many times a nucleus was left out of a patch.
    """
    near = nuclei.between(top_px, top_px + side_px)
    maps = np.zeros((len(lefts_px), side_px, side_px), dtype=np.uint32)
    strip = _drawn(near, lefts_px, top_px, side_px)
    found, n_slivers = [], 0
    for number, left in enumerate(lefts_px.tolist()):
        patch, visible, removed = strip.patch(left, side_px, min_visible_px)
        n_slivers += removed
        ids = np.concatenate([np.zeros(1, np.uint32), near.nucleus_id])
        ids[visible == 0] = 0
        np.take(ids, patch, out=maps[number], mode="clip")
        found.append(_entries(number, patch, visible))
    return maps, _gather(found, near), n_slivers


@dataclass(frozen=True)
class _Strip:
    """A drawn strip: nucleus number + 1 per pixel, and where nuclei overlap."""

    left_px: int
    spans: Spans
    canvas: NDArray[np.int32]
    shared: NDArray[np.bool_]
    n_nuclei: int

    def patch(
        self, left_px: int, side_px: int, min_visible_px: int
    ) -> tuple[NDArray[np.int32], Ints, int]:
        """Return a patch, the pixels that each number keeps in it (0: not drawn), and the nuclei left out.

        Numbers without pixels to keep may still stand in the patch, where nothing lies beneath them.
        """
        window = slice(left_px - self.left_px, left_px - self.left_px + side_px)
        patch = self.canvas[:, window]
        visible = self._count(patch)
        slivers = (visible > 0) & (visible < min_visible_px)
        if slivers[patch[self.shared[:, window]]].any():
            kept = visible[1:] >= min_visible_px
            inside = self.spans.window(window.start, side_px)
            patch, _ = paint(inside.where(kept[inside.polygon]), (side_px, side_px))
            visible = self._count(patch)
        visible[slivers] = 0
        return patch, visible, int(slivers.sum())

    def _count(self, patch: NDArray[np.int32]) -> Ints:
        visible = np.bincount(patch.ravel(), minlength=self.n_nuclei + 1)
        visible[0] = 0
        return visible


def _drawn(near: Nuclei, lefts_px: Ints, top_px: int, side_px: int) -> _Strip:
    left = int(lefts_px[0]) if len(lefts_px) else 0
    shape = (side_px, int(lefts_px[-1]) + side_px - left if len(lefts_px) else 0)
    spans = scan(near.outlines, top_px, left, shape)
    canvas, contested = paint(spans, shape)
    shared = np.zeros(shape, dtype=np.bool_)
    shared.reshape(-1)[contested] = True
    return _Strip(left, spans, canvas, shared, len(near.nucleus_id))


def _entries(number: int, patch: NDArray[np.int32], visible: Ints) -> tuple[Ints, ...]:
    touches = np.zeros(len(visible), dtype=np.int64)
    for edge in (patch[0], patch[-1], patch[:, 0], patch[:, -1]):
        touches[edge] = 1
    place = np.flatnonzero(visible)
    return np.full(len(place), number), place - 1, visible[place], touches[place]


def _gather(found: list[tuple[Ints, ...]], near: Nuclei) -> Visible:
    empty = (np.empty(0, np.int64),) * 4
    patch, place, visible, touches = map(np.concatenate, zip(empty, *found, strict=True))
    order = np.lexsort((near.nucleus_id[place], patch))
    patch, place, visible, touches = (column[order] for column in (patch, place, visible, touches))
    share = np.minimum(visible / near.area_px[place], 1).astype(np.float32)
    return Visible(
        patch=patch,
        nucleus_id=near.nucleus_id[place],
        class_index=near.class_index[place],
        visible_px=visible,
        visible_fraction=share,
        touches_border=touches.astype(np.bool_),
    )
