"""Pictures of a registration: nuclei over the H&E, and DAPI and H&E in a checkerboard."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from sthelar_build.core.density import density
from sthelar_build.core.registration import Window
from sthelar_build.io.images.he import RGB

Ring = NDArray[np.float64]

_OUTLINE = "#00e0c0"
_DOT = np.array([0, 205, 175])
_DPI = 110
_CHECKS = 6
_DARK, _BLUE, _WHITE = np.array([[8, 12, 30], [70, 140, 235], [240, 250, 255]], dtype=np.float64)
_DARKEST, _BRIGHTEST = 0.05, 0.995
_GAMMA = 0.75
_MAX_OUTLINED = 6000
_NUCLEUS_UM2, _NUCLEUS_SIGMA_UM = 50.0, 2.0
_STRENGTH, _MOST = 1.8, 0.7
"""So strong that scattered nuclei show, and so weak that crowded ones do not hide the H&E."""
_STROKE = (withStroke(linewidth=3, foreground="white"),)
_BARS_UM = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


class Zoom(NamedTuple):
    """A place that is shown enlarged."""

    title: str
    he: RGB
    """On the grid of the window."""
    window: Window
    rings: list[Ring]
    """Outlines of its nuclei in um."""


class WholeSlide(NamedTuple):
    """The whole H&E, small, and where the nuclei lie on it."""

    he: RGB
    um_per_px: float
    """Of this small image."""
    centroids_px: NDArray[np.float64]
    """(n, 2)."""
    rings: list[Ring] | None = None
    """Outlines in pixels, where they are few enough to be told apart."""


def is_outlined(n_nuclei: int) -> bool:
    """Return whether so many nuclei are drawn as outlines on the whole slide, and not as what they cover."""
    return n_nuclei <= _MAX_OUTLINED


def draw_overlay(
    path: Path, whole: WholeSlide, zooms: Sequence[Zoom], places_px: NDArray[np.float64]
) -> None:
    """Draw the nuclei over the whole H&E, and their outlines at up to four places.

    ``places_px`` are the corners (zooms, 4, 2) of the places on the whole H&E.
    """
    figure = figure_of(14.6, 7.6)
    layout = figure.add_gridspec(2, 4)
    axis = figure.add_subplot(layout[:, :2])
    shown = whole.he if whole.rings is not None else shaded(whole)
    axis.imshow(shown, interpolation="antialiased")
    if whole.rings is not None:
        axis.add_collection(LineCollection(whole.rings, colors=_OUTLINE, linewidths=0.8))
    for number, corners in enumerate(places_px, start=1):
        axis.fill(*corners.T, fill=False, edgecolor="black", linewidth=1.2)
        axis.annotate(
            str(number), corners.max(axis=0), fontsize=11, weight="bold", path_effects=_STROKE,
            xytext=(2, -2), textcoords="offset points", va="top", annotation_clip=True,
        )  # fmt: skip
    _scale_bar(axis, whole)
    # Nuclei that a wrong matrix puts far away must not shrink the H&E to a speck.
    axis.set_xlim(0, whole.he.shape[1])
    axis.set_ylim(whole.he.shape[0], 0)
    axis.set_axis_off()
    axis.set_title(f"H&E and {len(whole.centroids_px):,} nuclei of the bundle")
    for number, zoom in enumerate(zooms):
        _draw_zoom(figure.add_subplot(layout[number // 2, 2 + number % 2]), number + 1, zoom)
    save(figure, path)


def shaded(whole: WholeSlide) -> RGB:
    """Return the whole H&E, tinted where nuclei lie by the share of a pixel that they cover."""
    weights = np.full(len(whole.centroids_px), _NUCLEUS_UM2 / whole.um_per_px**2)
    spots = density(whole.centroids_px, weights, whole.he.shape[:2])
    covered = gaussian_filter(spots, _NUCLEUS_SIGMA_UM / whole.um_per_px)
    share = np.minimum(1 - np.exp(-_STRENGTH * covered), _MOST)[..., None]
    return np.asarray(np.rint(whole.he * (1 - share) + _DOT * share), dtype=np.uint8)


def draw_checkerboard(path: Path, title: str, window: Window, he: RGB, dapi: NDArray[Any]) -> None:
    """Draw H&E and DAPI of one window in alternating squares: nuclei must run on across their borders."""
    figure = figure_of(7, 7.4)
    axis = figure.subplots()
    axis.imshow(checkerboard(he, dapi), extent=_extent(window))
    _frame_of_window(axis, window, title)
    um_axes(axis)
    save(figure, path)


def checkerboard(he: RGB, dapi: NDArray[Any]) -> RGB:
    """Mix an H&E image (h, w, 3) and a DAPI image (h, w), in blue on dark."""
    rows, columns = (np.arange(size) * _CHECKS // size for size in dapi.shape)
    is_dapi = (rows[:, None] + columns) % 2 == 1
    return np.where(is_dapi[..., None], coloured_dapi(dapi), he)


def coloured_dapi(dapi: NDArray[Any]) -> RGB:
    """Return a DAPI image (h, w) in colours: its 5th percentile dark, its brightest 0.5 % white, nuclei blue between."""
    low, high = np.quantile(dapi, [_DARKEST, _BRIGHTEST])
    level = np.clip((dapi - low) / max(high - low, 1e-6), 0, 1)[..., None] ** _GAMMA
    lower = _DARK + (_BLUE - _DARK) * np.minimum(2 * level, 1)
    colours = lower + (_WHITE - _BLUE) * np.maximum(2 * level - 1, 0)
    return np.asarray(np.rint(colours), dtype=np.uint8)


def _draw_zoom(axis: Axes, number: int, zoom: Zoom) -> None:
    axis.imshow(zoom.he, extent=_extent(zoom.window))
    axis.add_collection(LineCollection(zoom.rings, colors=_OUTLINE, linewidths=1.1))
    _frame_of_window(axis, zoom.window, f"{number}  {zoom.title}")
    axis.set_xticks([])
    axis.set_yticks([])


def _scale_bar(axis: Axes, whole: WholeSlide) -> None:
    height, width = whole.he.shape[:2]
    longest_um = width * whole.um_per_px / 4
    length_um = max((um for um in _BARS_UM if um <= longest_um), default=_BARS_UM[0])
    left, right = 0.03 * width, 0.03 * width + length_um / whole.um_per_px
    axis.plot([left, right], [0.97 * height] * 2, color="black", lw=3, path_effects=_STROKE)
    label = f"{length_um} um" if length_um < 1000 else f"{length_um // 1000} mm"
    axis.text(left, 0.955 * height, label, fontsize=9, va="bottom", path_effects=_STROKE)


def _extent(window: Window) -> tuple[float, float, float, float]:
    (left, top), (right, bottom) = window.corners_um[[0, 2]]
    return left, right, bottom, top


def _frame_of_window(axis: Axes, window: Window, title: str) -> None:
    left, right, bottom, top = _extent(window)
    axis.set_xlim(left, right)
    axis.set_ylim(bottom, top)
    axis.set_aspect("equal")
    axis.set_title(title, fontsize=10)


def um_axes(axis: Axes) -> None:
    """Label axes in um, one to one."""
    axis.set_aspect("equal")
    axis.set_xlabel("x (um)")
    axis.set_ylabel("y (um)")


def figure_of(width_in: float, height_in: float) -> Figure:
    """Return an empty figure that needs no screen."""
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a figure; without the version of matplotlib in it, equal pictures are equal files."""
    figure.savefig(path, dpi=_DPI, metadata={"Software": None})
