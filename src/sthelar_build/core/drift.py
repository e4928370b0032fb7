"""The residual field of a registration: one measurement per tile of the um plane that has nuclei."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from sthelar_build.core.raster import Outlines, paint, scan
from sthelar_build.core.registration import Image, Window, best_shift, correlation_surface
from sthelar_build.schema.words import FLAT, NO_NUCLEUS, OUTSIDE


@dataclass(frozen=True)
class DriftRule:
    """How the residual of a tile is measured."""

    tile_um: float
    search_um: float
    um_per_px: float
    min_nuclei: int
    min_gain: float

    @property
    def search_px(self) -> int:
        """Largest shift in pixels of the measurement."""
        return max(2, round(self.search_um / self.um_per_px))

    def window(self, x_um: float, y_um: float) -> Window:
        """Return the tile around a centre as a grid of pixels."""
        side = max(1, round(self.tile_um / self.um_per_px))
        half_um = side * self.um_per_px / 2
        return Window(x_um - half_um, y_um - half_um, self.um_per_px, (side, side))


def tiles_with_nuclei(centroids_um: NDArray[np.float64], tile_um: float) -> pd.DataFrame:
    """Return the tiles that hold a centroid (n, 2), row by row: tile, x_um, y_um (centres), n_nuclei.

    Tiles are squares of side ``tile_um`` from the origin; numbers count only tiles with nuclei.
    """
    place = np.floor(centroids_um[:, ::-1] / tile_um).astype(np.int64)
    found, n_nuclei = np.unique(place.reshape(-1, 2), axis=0, return_counts=True)
    return pd.DataFrame(
        {
            "tile": np.arange(len(found), dtype=np.uint32),
            "x_um": (found[:, 1] + 0.5) * tile_um,
            "y_um": (found[:, 0] + 0.5) * tile_um,
            "n_nuclei": n_nuclei.astype(np.uint32),
        }
    )


def drawn_nuclei(geometries_um: NDArray[Any], window: Window) -> Image:
    """Return 1 where a nucleus covers the centre of a pixel of the window, else 0."""
    outlines = Outlines.of(geometries_um)
    vertices = (outlines.vertices - [window.left_um, window.top_um]) / window.um_per_px
    spans = scan(Outlines(vertices, outlines.ends_ring, outlines.start), 0, 0, window.shape)
    return (paint(spans, window.shape)[0] > 0).astype(np.float32)


def measured(
    tiles: pd.DataFrame,
    geometries_um: NDArray[Any],
    rule: DriftRule,
    is_on_he: Callable[[Window], bool],
    haematoxylin_of: Callable[[Window], Image],
) -> Iterator[dict[str, Any]]:
    """Yield, tile by tile, the columns of ``schema.tables.REGISTRATION`` that are measured.

    Parameters
    ----------
    tiles
        As ``tiles_with_nuclei`` gives them.
    geometries_um
        All nuclei.
    rule
        Sizes and thresholds.
    is_on_he, haematoxylin_of
        Whether the H&E covers a window, and its haematoxylin there.

    Notes
    -----
    A shift (dx, dy) moves the nuclei to where they fit the haematoxylin best. A tile is measured if its best
    correlation exceeds the mean over the farthest shifts by ``min_gain``.
    """
    tree = shapely.STRtree(geometries_um)
    for x_um, y_um, n_nuclei in zip(tiles.x_um, tiles.y_um, tiles.n_nuclei, strict=True):
        window = rule.window(x_um, y_um)
        if n_nuclei < rule.min_nuclei:
            yield {"reason": NO_NUCLEUS}
        elif not is_on_he(window):
            yield {"reason": OUTSIDE}
        else:
            near = np.sort(tree.query(shapely.Polygon(window.corners_um)))
            template = drawn_nuclei(geometries_um[near], window)
            yield _measured(haematoxylin_of(window.grown(rule.search_px)), template, rule)


def _measured(haematoxylin: Image, template: Image, rule: DriftRule) -> dict[str, Any]:
    shift = best_shift(correlation_surface(haematoxylin, template))
    found = {"correlation": shift.correlation, "best_correlation": shift.best}
    if shift.gain < rule.min_gain:
        return {**found, "reason": FLAT}
    dx_um, dy_um = shift.dx_px * rule.um_per_px, shift.dy_px * rule.um_per_px
    return {**found, "dx_um": dx_um, "dy_um": dy_um, "residual_um": float(np.hypot(dx_um, dy_um))}
