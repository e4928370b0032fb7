"""The folder ``registration/``: which places of a slide are shown, and their pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.nucleus_map import NucleusMap
from sthelar_build.core.registration import Window
from sthelar_build.io.atomic import published
from sthelar_build.io.images.he import HeImage
from sthelar_build.io.images.morphology import MorphologyImage
from sthelar_build.io.images.um_windows import dapi_window, he_window
from sthelar_build.io.pictures.registration import (
    WholeSlide,
    Zoom,
    draw_checkerboard,
    draw_overlay,
    is_outlined,
)
from sthelar_build.io.pictures.registration_drift import draw_drift
from sthelar_build.io.transform import Transform

_THUMBNAIL_PX = 1200
_ZOOM_PX = 640
_SHOWN = ("best", "lower quartile", "median", "upper quartile", "worst")
_ZOOMED = (0, 2, 3, 4)
"""Of these places the overlay shows the nuclei one by one."""
_LEAST_SEEN_UM = 0.05


def write_pictures(
    folder: Path,
    he: HeImage,
    morphology: MorphologyImage,
    transform: Transform,
    nuclei: NucleusMap,
    tiles: pd.DataFrame,
    tile_um: float,
    far_um: float,
) -> None:
    """Write ``overlay.png``, ``drift.png`` and ``checkerboard_{1..5}.png`` (tiles by residual, the best first).

    Where fewer tiles than five are measured, those with most nuclei are shown; a slide of one tile shows it
    five times.
    """
    with published(folder) as draft:
        draft.mkdir()
        zooms = []
        for number, (title, window) in enumerate(_places(tiles, tile_um), start=1):
            image = he_window(he, transform.um_to_he, window)
            dapi = dapi_window(morphology, transform, window)
            draw_checkerboard(draft / f"checkerboard_{number}.png", title, window, image, dapi)
            zooms.append(Zoom(title, image, window, nuclei.outlines(window).rings()))
        whole = _whole_slide(he, transform, nuclei)
        chosen = [zooms[place] for place in _ZOOMED]
        corners = [zoom.window.corners_um for zoom in chosen]
        places = _on_thumbnail(he, whole.he.shape, transform, np.concatenate(corners))
        draw_overlay(draft / "overlay.png", whole, chosen, places.reshape(-1, 4, 2))
        corrected_um = _corrected(transform, tiles)
        draw_drift(draft / "drift.png", tiles, tile_um, far_um, corrected_um)


def _whole_slide(he: HeImage, transform: Transform, nuclei: NucleusMap) -> WholeSlide:
    image = he.thumbnail(_THUMBNAIL_PX)
    centroids = _on_thumbnail(he, image.shape, transform, nuclei.points_um)
    um_per_px = transform.he_um_per_px * he.width_px / image.shape[1]
    if not is_outlined(len(nuclei)):
        return WholeSlide(image, um_per_px, centroids)
    rings = [_on_thumbnail(he, image.shape, transform, ring) for ring in nuclei.outlines().rings()]
    return WholeSlide(image, um_per_px, centroids, rings)


def _on_thumbnail(
    he: HeImage, shape: tuple[int, ...], transform: Transform, points_um: NDArray[np.float64]
) -> NDArray[np.float64]:
    shrink = np.array([shape[1] / he.width_px, shape[0] / he.height_px])
    return np.asarray(transform.um_to_he.apply(points_um) * shrink)


def _corrected(transform: Transform, tiles: pd.DataFrame) -> NDArray[np.float64] | None:
    """Return by how much a smooth correction moves the centres of the tiles; None if it moves none of them."""
    centres_um = tiles[["x_um", "y_um"]].to_numpy(np.float64)
    affine = transform.um_to_morphology.then(transform.he_to_morphology.inverse())
    moved_um = affine.inverse().apply(transform.um_to_he.apply(centres_um)) - centres_um
    seen = len(moved_um) > 0 and np.hypot(*moved_um.T).max() > _LEAST_SEEN_UM
    return np.asarray(moved_um) if seen else None


def _places(tiles: pd.DataFrame, tile_um: float) -> Iterator[tuple[str, Window]]:
    for name, tile in zip(_SHOWN, _shown_tiles(tiles), strict=True):
        x_um, y_um, residual_um = float(tile.x_um), float(tile.y_um), tile.residual_um
        how = "not measured" if pd.isna(residual_um) else f"{residual_um:.1f} um off"
        corner = (x_um - tile_um / 2, y_um - tile_um / 2)
        window = Window(*corner, tile_um / _ZOOM_PX, (_ZOOM_PX, _ZOOM_PX))
        yield f"{name}: {how}", window


def _shown_tiles(tiles: pd.DataFrame) -> list[pd.Series]:
    measured = tiles[tiles.residual_um.notna()].sort_values(["residual_um", "tile"])
    if len(measured) < len(_SHOWN):
        measured = tiles.sort_values(["n_nuclei", "tile"], ascending=[False, True]).head(5)
    places = np.linspace(0, len(measured) - 1, len(_SHOWN)).astype(int)
    return [measured.iloc[place] for place in places]
