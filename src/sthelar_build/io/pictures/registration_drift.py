"""The residual field of a registration as a map: colours, arrows, and the correction that was applied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Patch
from numpy.typing import NDArray

from sthelar_build.io.pictures.registration import figure_of, save, um_axes
from sthelar_build.schema.words import FLAT, NO_NUCLEUS, NO_TISSUE, OUTSIDE

Floats = NDArray[np.float64]

_COLOURS = LinearSegmentedColormap.from_list(
    "residual", ["#fffbe0", "#fee391", "#fec44f", "#fb8b3c", "#e0503a"]
)
"""Light enough at its end for the arrows to be seen."""
_ARROW = "#1d2a3a"
_MAX_ARROWS = 1500
_LONGEST_ARROW = 0.9
"""Of the distance between arrows."""
_LEAST_SCALED_UM = 0.5
"""Shifts that are all smaller are not blown up to full arrows."""
_UNMEASURED = {
    NO_NUCLEUS: ("#f0eeea", "too few nuclei"),
    OUTSIDE: ("#dad7d0", "outside the H&E"),
    NO_TISSUE: ("#c9d6e2", "no tissue"),
    FLAT: ("#a9a59d", "no shift stands out"),
}


def draw_drift(
    path: Path,
    tiles: pd.DataFrame,
    tile_um: float,
    far_um: float,
    corrected_um: Floats | None = None,
) -> None:
    """Draw the residual of every tile as a colour, and the shift that would mend it as an arrow.

    Parameters
    ----------
    path
        The picture.
    tiles
        As ``schema.tables.REGISTRATION``.
    tile_um
        Side of a tile.
    far_um
        Residual at the end of the colour scale.
    corrected_um
        (tiles, 2) shift that a smooth correction has already applied to each tile, drawn beside it.
    """
    figure = figure_of(9 if corrected_um is None else 16.5, 7.4)
    panels = figure.subplots(1, 1 if corrected_um is None else 2, squeeze=False)[0]
    measured = tiles["residual_um"].notna().to_numpy()
    shifts = tiles[["dx_um", "dy_um"]].to_numpy(np.float64)
    colours = _coloured_tiles(panels[0], tiles, tile_um, far_um)
    figure.colorbar(colours, ax=panels[0], label="residual (um)", extend="max", shrink=0.85)
    title = f"{measured.sum():,} of {len(tiles):,} tiles measured"
    _draw_arrows(panels[0], tiles[measured], shifts[measured], tile_um, title)
    if corrected_um is not None:
        _plain_tiles(panels[1], tiles, tile_um)
        _draw_arrows(panels[1], tiles, corrected_um, tile_um, "correction that was applied")
    for axis in panels:
        um_axes(axis)
        axis.autoscale_view()
        axis.invert_yaxis()
    save(figure, path)


def thinned_arrows(
    centres_um: Floats, shifts_um: Floats, tile_um: float, max_arrows: int
) -> tuple[Floats, Floats, float]:
    """Return places, shifts and distance of at most about ``max_arrows`` arrows: means over squares of tiles."""
    factor = int(np.ceil(np.sqrt(max(1, len(centres_um)) / max_arrows)))
    if factor == 1:
        return centres_um, shifts_um, tile_um
    square = np.floor(centres_um / (factor * tile_um)).astype(np.int64)
    _, group = np.unique(square, axis=0, return_inverse=True)
    group = group.reshape(-1)
    count = np.bincount(group)[:, None]
    means = [
        np.stack([np.bincount(group, values[:, axis]) for axis in (0, 1)], axis=1) / count
        for values in (centres_um, shifts_um)
    ]
    return means[0], means[1], factor * tile_um


def _draw_arrows(
    axis: Axes, tiles: pd.DataFrame, shifts_um: Floats, tile_um: float, title: str
) -> None:
    axis.set_title(title)
    if not len(tiles):
        return
    centres_um = tiles[["x_um", "y_um"]].to_numpy(np.float64)
    places, shifts, apart_um = thinned_arrows(centres_um, shifts_um, tile_um, _MAX_ARROWS)
    longest_um = max(_LEAST_SCALED_UM, float(np.quantile(np.hypot(*shifts.T), 0.98)))
    scale = float(f"{_LONGEST_ARROW * apart_um / longest_um:.1g}")
    axis.quiver(
        *places.T, *(shifts * scale).T, angles="xy", scale_units="xy", scale=1, color=_ARROW,
        width=0.0022, headwidth=4, headlength=4.5, minlength=0.4,
    )  # fmt: skip
    axis.set_title(f"{title}; arrows: shift of the nuclei, x {scale:g}")


def _coloured_tiles(axis: Axes, tiles: pd.DataFrame, tile_um: float, far_um: float) -> Any:
    shown = []
    for reason, (colour, name) in _UNMEASURED.items():
        some = tiles[tiles["reason"] == reason]
        if len(some):
            axis.add_collection(_squares(some, tile_um, facecolors=colour))
            shown.append(Patch(color=colour, label=f"{name} ({len(some):,})"))
    measured = tiles[tiles["residual_um"].notna()]
    patches = _squares(measured, tile_um, cmap=_COLOURS)
    patches.set_array(measured["residual_um"].to_numpy(np.float64))
    patches.set_clim(0, far_um)
    if shown:
        axis.legend(
            handles=shown, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=4, frameon=False
        )
    return axis.add_collection(patches)


def _plain_tiles(axis: Axes, tiles: pd.DataFrame, tile_um: float) -> None:
    axis.add_collection(_squares(tiles, tile_um, facecolors="#f0eeea"))


def _squares(tiles: pd.DataFrame, tile_um: float, **look: Any) -> PolyCollection:
    half = tile_um / 2
    corners = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    squares = tiles[["x_um", "y_um"]].to_numpy(np.float64)[:, None] + corners
    # A thin edge in the colour of the face closes the seams between squares.
    return PolyCollection(list(squares), linewidths=0.3, edgecolors="face", **look)
