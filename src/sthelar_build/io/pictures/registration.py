"""Pictures of a registration: nuclei over the H&E, the field of residuals, DAPI and H&E in a checkerboard."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sthelar_build.core.raster import Outlines
from sthelar_build.core.registration import Window
from sthelar_build.io.images.he import RGB

Ring = NDArray[np.float64]

_OUTLINE = "#00e5c0"
_ARROW = "#111111"
_DPI = 110
_CHECKS = 8
_MAX_DOTS = 20_000


def rings_of(geometries: NDArray[Any]) -> list[Ring]:
    """Return every ring of polygons as its vertices (v, 2)."""
    outlines = Outlines.of(geometries)
    return np.split(outlines.vertices, np.flatnonzero(outlines.ends_ring)[:-1] + 1)


def draw_overlay(
    path: Path,
    thumbnail: RGB,
    centroids_px: NDArray[np.float64],
    zooms: Sequence[tuple[str, RGB, Window, list[Ring]]],
) -> None:
    """Draw the nuclei over the whole H&E, and their outlines in some places.

    ``centroids_px`` are in pixels of the thumbnail; each zoom is a title, the H&E on the grid of a window, the window,
    and the rings of its nuclei in um.
    """
    figure = _figure(6 * (1 + len(zooms)), 6.4)
    axes = figure.subplots(1, 1 + len(zooms), squeeze=False)[0]
    axes[0].imshow(thumbnail)
    shown = centroids_px[:: max(1, len(centroids_px) // _MAX_DOTS)]
    size = np.clip(3000 / max(1, len(shown)), 0.6, 9)
    axes[0].scatter(shown[:, 0], shown[:, 1], s=size, c=_OUTLINE, alpha=0.6, linewidths=0)
    _frame_of_image(axes[0], thumbnail, f"H&E and nuclei ({len(shown)} of {len(centroids_px)})")
    for axis, (title, image, window, rings) in zip(axes[1:], zooms, strict=True):
        axis.imshow(image, extent=_extent(window))
        axis.add_collection(LineCollection(rings, colors=_OUTLINE, linewidths=1.1))
        _frame_of_window(axis, window, title)
    _save(figure, path)


def draw_drift(path: Path, tiles: pd.DataFrame, tile_um: float, far_um: float) -> None:
    """Draw the residual of every tile as a colour, and the shift that would mend it as an arrow.

    ``far_um`` is the residual at the end of the colour scale. Arrows are as long as the shift, ten times enlarged.
    """
    figure = _figure(9, 7.4)
    axis = figure.subplots()
    measured = tiles[tiles.residual_um.notna()]
    others = tiles[tiles.residual_um.isna()]
    _tile_patches(axis, others, tile_um, None, far_um)
    colours = _tile_patches(
        axis, measured, tile_um, measured.residual_um.to_numpy(np.float64), far_um
    )
    figure.colorbar(colours, ax=axis, label="residual (um)", extend="max")
    if len(measured):
        axis.quiver(
            *(measured[name].to_numpy() for name in ("x_um", "y_um")),
            *(measured[name].to_numpy() * 10 for name in ("dx_um", "dy_um")),
            angles="xy", scale_units="xy", scale=1, color=_ARROW, width=0.002,
        )  # fmt: skip
    _um_axes(axis)
    axis.autoscale_view()
    axis.invert_yaxis()
    axis.set_title(
        f"{len(measured)} of {len(tiles)} tiles measured (grey: not); arrows: shift of the nuclei, x 10"
    )
    _save(figure, path)


def draw_checkerboard(path: Path, title: str, window: Window, he: RGB, dapi: NDArray[Any]) -> None:
    """Draw H&E and DAPI of one window in alternating squares: nuclei must run on across their borders."""
    figure = _figure(7, 7.4)
    axis = figure.subplots()
    axis.imshow(checkerboard(he, dapi), extent=_extent(window))
    _frame_of_window(axis, window, title)
    _save(figure, path)


def checkerboard(he: RGB, dapi: NDArray[Any]) -> RGB:
    """Mix an H&E image (h, w, 3) and a DAPI image (h, w), stretched to its own 0.5 and 99.5 percentiles."""
    low, high = np.quantile(dapi, [0.005, 0.995])
    grey = np.clip((dapi - low) / max(high - low, 1e-6), 0, 1) * 255
    rows, columns = (np.arange(size) * _CHECKS // size for size in grey.shape)
    is_dapi = (rows[:, None] + columns) % 2 == 1
    return np.where(is_dapi[..., None], np.rint(grey).astype(np.uint8)[..., None], he)


def _tile_patches(
    axis: Axes, tiles: pd.DataFrame, tile_um: float, values: NDArray[Any] | None, far_um: float
) -> Any:
    half = tile_um / 2
    corners = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    squares = tiles[["x_um", "y_um"]].to_numpy()[:, None] + corners
    patches = PolyCollection(list(squares), cmap="viridis_r", linewidths=0, facecolors="#dddddd")
    if values is not None:
        patches.set_array(values)
    patches.set_clim(0, far_um)
    return axis.add_collection(patches)


def _extent(window: Window) -> tuple[float, float, float, float]:
    (left, top), (right, bottom) = window.corners_um[[0, 2]]
    return left, right, bottom, top


def _frame_of_window(axis: Axes, window: Window, title: str) -> None:
    left, right, bottom, top = _extent(window)
    axis.set_xlim(left, right)
    axis.set_ylim(bottom, top)
    _um_axes(axis)
    axis.set_title(title)


def _frame_of_image(axis: Axes, image: RGB, title: str) -> None:
    axis.set_xlim(0, image.shape[1])
    axis.set_ylim(image.shape[0], 0)
    axis.set_axis_off()
    axis.set_title(title)


def _um_axes(axis: Axes) -> None:
    axis.set_aspect("equal")
    axis.set_xlabel("x (um)")
    axis.set_ylabel("y (um)")


def _figure(width_in: float, height_in: float) -> Figure:
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Figure, path: Path) -> None:
    # Without the version of matplotlib in it, equal pictures are equal files.
    figure.savefig(path, dpi=_DPI, metadata={"Software": None})
