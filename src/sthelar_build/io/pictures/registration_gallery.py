"""The folder ``registration/``: which places of a slide are shown, and their pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import shapely

from sthelar_build.core.registration import Window
from sthelar_build.io.atomic import published
from sthelar_build.io.images.he import HeImage
from sthelar_build.io.images.morphology import MorphologyImage
from sthelar_build.io.images.um_windows import dapi_window, he_window
from sthelar_build.io.pictures.registration import (
    draw_checkerboard,
    draw_drift,
    draw_overlay,
    rings_of,
)
from sthelar_build.io.transform import Transform

_THUMBNAIL_PX = 1200
_ZOOM_PX = 640
_SHOWN = ("best", "median", "worst")


def write_pictures(
    folder: Path,
    he: HeImage,
    morphology: MorphologyImage,
    transform: Transform,
    nuclei: geopandas.GeoDataFrame,
    tiles: pd.DataFrame,
    tile_um: float,
    far_um: float,
) -> None:
    """Write ``overlay.png``, ``drift.png`` and ``checkerboard_{1..3}.png`` (best, median and worst tile).

    Where fewer tiles than three are measured, those with most nuclei are shown, and a slide with one tile shows it
    three times.
    """
    tree = shapely.STRtree(nuclei.geometry.to_numpy())
    with published(folder) as draft:
        draft.mkdir()
        zooms = []
        for number, (title, window) in enumerate(_places(tiles, tile_um), start=1):
            image = he_window(he, transform, window)
            dapi = dapi_window(morphology, transform, window)
            draw_checkerboard(draft / f"checkerboard_{number}.png", title, window, image, dapi)
            near = np.sort(tree.query(shapely.box(*window.corners_um[[0, 2]].ravel())))
            zooms.append((title, image, window, rings_of(nuclei.geometry.to_numpy()[near])))
        thumbnail = he.thumbnail(_THUMBNAIL_PX)
        shrink = np.array([thumbnail.shape[1] / he.width_px, thumbnail.shape[0] / he.height_px])
        centroids = transform.um_to_he.apply(nuclei[["x_um", "y_um"]]) * shrink
        draw_overlay(draft / "overlay.png", thumbnail, centroids, zooms[1:])
        draw_drift(draft / "drift.png", tiles, tile_um, far_um)


def _places(tiles: pd.DataFrame, tile_um: float) -> Iterator[tuple[str, Window]]:
    for name, tile in zip(_SHOWN, _shown_tiles(tiles), strict=True):
        x_um, y_um, residual_um = float(tile.x_um), float(tile.y_um), tile.residual_um
        how = "not measured" if pd.isna(residual_um) else f"{residual_um:.1f} um off"
        corner = (x_um - tile_um / 2, y_um - tile_um / 2)
        window = Window(*corner, tile_um / _ZOOM_PX, (_ZOOM_PX, _ZOOM_PX))
        yield f"{name} tile: {how}", window


def _shown_tiles(tiles: pd.DataFrame) -> list[pd.Series]:
    measured = tiles[tiles.residual_um.notna()].sort_values(["residual_um", "tile"])
    if len(measured) < len(_SHOWN):
        measured = tiles.sort_values(["n_nuclei", "tile"], ascending=[False, True]).head(3)
    last = len(measured) - 1
    return [measured.iloc[place] for place in (0, last // 2, last)]
