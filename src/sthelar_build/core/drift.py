"""The residual field of a registration: one measurement per tile of the um plane that has nuclei."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.matched_nuclei import matched_distances, stained_cores
from sthelar_build.core.outlines import Outlines
from sthelar_build.core.raster import paint, scan
from sthelar_build.core.registration import (
    Image,
    Shift,
    Window,
    best_shift,
    correlation_surface,
)
from sthelar_build.schema.words import FLAT, NO_NUCLEUS, NO_TISSUE, OUTSIDE

SHIFTS_UM = (1, 2, 4, 8)
SHIFTED = tuple(f"correlation_{shift_um}um" for shift_um in SHIFTS_UM)
"""Columns of the correlation at these shifts."""
MEASURED = (
    "correlation",
    *SHIFTED,
    "best_correlation",
    "dx_um",
    "dy_um",
    "residual_um",
    "n_matched",
    "matched_um",
    "reason",
)
"""Columns of ``schema.tables.REGISTRATION`` that are measured."""
_LEAST_ON_TISSUE = 0.5
"""Share of the nuclei of a tile that must lie where the H&E shows any tissue."""
_NO_DISTANCES = np.empty(0, dtype=np.float32)


class Nuclei(Protocol):
    """What a tile needs to know of the nuclei of the bundle."""

    def inside(self, window: Window) -> NDArray[np.float64]:
        """Return the centroids (n, 2) in a window."""

    def drawn(self, window: Window) -> Image:
        """Return 1 where a nucleus covers a pixel of the window, else 0."""


class StainedSection(Protocol):
    """What a tile needs to see of the H&E, where a registration puts it."""

    def covers(self, window: Window) -> bool:
        """Return whether the H&E covers the whole window."""

    def on_tissue(self, points_um: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return whether the H&E shows tissue at points (n, 2)."""

    def haematoxylin(self, window: Window) -> Image:
        """Return the haematoxylin on the grid of the window."""


class TileMeasured(NamedTuple):
    """What was measured of one tile."""

    columns: dict[str, Any]
    """Some of ``MEASURED``."""
    matched_um: NDArray[np.float32]
    """Distance of every matched nucleus from its partner on the H&E."""


@dataclass(frozen=True)
class DriftRule:
    """How the residual of a tile is measured."""

    tile_um: float
    search_um: float
    um_per_px: float
    min_nuclei: int
    min_gain: float
    match_um: float

    @property
    def search_px(self) -> int:
        """Largest shift in pixels of the measurement."""
        return max(2, round(self.search_um / self.um_per_px))

    def window(self, x_um: float, y_um: float) -> Window:
        """Return the tile around a centre as a grid of pixels."""
        side = max(1, round(self.tile_um / self.um_per_px))
        half_um = side * self.um_per_px / 2
        return Window(x_um - half_um, y_um - half_um, self.um_per_px, (side, side))


def drawn_nuclei(outlines: Outlines, window: Window) -> Image:
    """Return 1 where a nucleus, in um, covers the centre of a pixel of the window, else 0."""
    vertices = (outlines.vertices - [window.left_um, window.top_um]) / window.um_per_px
    spans = scan(Outlines(vertices, outlines.ends_ring, outlines.start), 0, 0, window.shape)
    return (paint(spans, window.shape)[0] > 0).astype(np.float32)


def measure_tile(
    centre_um: tuple[float, float], nuclei: Nuclei, he: StainedSection, rule: DriftRule
) -> TileMeasured:
    """Measure one tile; no tile depends on another, and threads may share all arguments.

    Parameters
    ----------
    centre_um
        x and y as ``core.nucleus_tiles.tiles_with_nuclei`` gives them.
    nuclei
        Those of the whole slide.
    he
        The H&E where the registration puts it.
    rule
        Sizes and thresholds.

    Notes
    -----
    A shift (dx, dy) moves the nuclei to where they fit the haematoxylin best. A tile is measured if its best
    correlation exceeds the mean over the farthest shifts by ``min_gain``.
    """
    window = rule.window(*centre_um)
    centroids_um = nuclei.inside(window)
    reason = _why_not(window, centroids_um, he, rule)
    if reason:
        return TileMeasured({"reason": reason}, _NO_DISTANCES)
    grown = window.grown(rule.search_px)
    stain = he.haematoxylin(grown)
    cores_px = stained_cores(stain, rule.um_per_px)
    cores_um = cores_px * rule.um_per_px + [grown.left_um, grown.top_um]
    matched_um = matched_distances(centroids_um, cores_um, rule.match_um)
    surface = correlation_surface(stain, nuclei.drawn(window))
    columns = {
        **_shift(best_shift(surface), rule),
        **decay(surface, rule.um_per_px),
        "n_matched": len(matched_um),
        "matched_um": float(np.median(matched_um)) if len(matched_um) else np.nan,
    }
    return TileMeasured(columns, matched_um)


def tile_table(tiles: pd.DataFrame, measured: Iterable[TileMeasured]) -> pd.DataFrame:
    """Return ``schema.tables.REGISTRATION``: the tiles (in any order or subset) and what was measured of each."""
    kinds = dict.fromkeys(MEASURED, "float64") | {"n_matched": "UInt32", "reason": "object"}
    found = pd.DataFrame([tile.columns for tile in measured], index=tiles.index)
    return tiles.join(found.reindex(columns=list(kinds)).astype(kinds))


def decay(surface: Image, um_per_px: float) -> dict[str, float]:
    """Return the mean correlation at shifts by 1, 2, 4 and 8 um along x and y, forwards and backwards.

    Between pixels of the surface (as ``correlation_surface`` gives it) it is interpolated; NaN beyond them.
    """
    middle_y, middle_x = (size // 2 for size in surface.shape)
    lines = (surface[middle_y, :], surface[:, middle_x])
    found = {}
    for shift_um, name in zip(SHIFTS_UM, SHIFTED, strict=True):
        places = np.array([-shift_um, shift_um]) / um_per_px
        values = [
            np.interp(places, np.arange(len(line)) - len(line) // 2, line, np.nan, np.nan)
            for line in lines
        ]
        found[name] = float(np.mean(values))
    return found


def _why_not(
    window: Window, centroids_um: NDArray[np.float64], he: StainedSection, rule: DriftRule
) -> str | None:
    if len(centroids_um) < rule.min_nuclei:
        return NO_NUCLEUS
    if not he.covers(window):
        return OUTSIDE
    return NO_TISSUE if he.on_tissue(centroids_um).mean() < _LEAST_ON_TISSUE else None


def _shift(shift: Shift, rule: DriftRule) -> dict[str, Any]:
    found = {"correlation": shift.correlation, "best_correlation": shift.best}
    if shift.gain < rule.min_gain:
        return {**found, "reason": FLAT}
    dx_um, dy_um = shift.dx_px * rule.um_per_px, shift.dy_px * rule.um_per_px
    return {**found, "dx_um": dx_um, "dy_um": dy_um, "residual_um": float(np.hypot(dx_um, dy_um))}
