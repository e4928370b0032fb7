"""All patches of one row of the grid at once: every nucleus is drawn once, however many patches overlap it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from sthelar_build.core.outlines import Outlines
from sthelar_build.core.raster import Ints, Map, draw_order, paint, scan
from sthelar_build.core.strip_patches import Overlaps, Strip, Visible, strip_shape
from sthelar_build.schema.frames import PointMap


@dataclass(frozen=True)
class Nuclei:
    """All nuclei of a slide in pixels of the scale."""

    outlines: Outlines
    top_px: NDArray[np.float64]
    bottom_px: NDArray[np.float64]
    area_px: NDArray[np.float64]
    nucleus_id: NDArray[np.uint32]
    class_index: NDArray[np.uint8]
    rank: Ints
    """Place of each in the drawing order (``raster.draw_order``)."""

    @classmethod
    def of(
        cls,
        geometries_um: Iterable[NDArray[Any]],
        nucleus_id: NDArray[np.uint32],
        class_index: NDArray[np.uint8],
        um_to_he: PointMap,
        downsample: float,
    ) -> Nuclei:
        """Bring nuclei from micrometres to pixels of a scale.

        Their polygons come in batches, of which one at a time is in memory: as arrays they take a third of it.
        """
        areas = [np.empty(0)]

        def placed() -> Iterator[Outlines]:
            for batch in geometries_um:
                areas.append(shapely.area(batch))
                outlines = Outlines.of(batch)
                vertices = um_to_he.apply(outlines.vertices) / downsample
                yield replace(outlines, vertices=vertices)

        outlines = Outlines.joined(placed())
        area_um2 = np.concatenate(areas)
        first, y_px = outlines.start[:-1], outlines.vertices[:, 1]
        return cls(
            outlines=outlines,
            top_px=np.minimum.reduceat(y_px, first) if len(first) else np.empty(0),
            bottom_px=np.maximum.reduceat(y_px, first) if len(first) else np.empty(0),
            area_px=area_um2 * (um_to_he.scale / downsample) ** 2,
            nucleus_id=nucleus_id,
            class_index=class_index,
            rank=np.argsort(draw_order(area_um2, nucleus_id)),
        )

    def between(self, top_px: int, bottom_px: int) -> Nuclei:
        """Return the nuclei that may have a pixel in these rows, in drawing order."""
        near = np.flatnonzero((self.bottom_px > top_px) & (self.top_px < bottom_px))
        near = near[np.argsort(self.rank[near])]
        return Nuclei(
            self.outlines.take(near),
            self.top_px[near],
            self.bottom_px[near],
            self.area_px[near],
            self.nucleus_id[near],
            self.class_index[near],
            self.rank[near],
        )


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
    left = int(lefts_px[0]) if len(lefts_px) else 0
    shape = strip_shape(lefts_px, side_px)
    spans = scan(near.outlines, top_px, left, shape)
    canvas, shared = paint(spans, shape)
    known = near.nucleus_id, near.class_index, near.area_px
    strip = Strip(left, canvas, *known, Overlaps(spans, shared))
    return strip.patches(lefts_px, min_visible_px)
