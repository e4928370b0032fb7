"""Shapes of a slide, indexed by what tables refer to."""

from __future__ import annotations

import geopandas
import pandas as pd
import shapely

from sthelar_build.schema.tables import METRIC_NAMES


def nucleus_shapes(nuclei: pd.DataFrame) -> pd.DataFrame:
    """Return the nuclei indexed by ``nucleus_id``, geometry in um."""
    return _indexed(nuclei, "nucleus_id", ["cell_id", "area_um2", "repaired"])


def cell_shapes(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the cells that have an outline, indexed by ``cell_id``, geometry in um."""
    outlined = cells[cells["geometry"].notna()]
    return _indexed(outlined, "cell_id", ["cell_number", "area_um2", "repaired"])


def patch_shapes(patches: pd.DataFrame, metrics: pd.DataFrame) -> pd.DataFrame:
    """Return the complete patches as squares in level-0 H&E px, with their metrics, indexed by patch.

    ``xmin, ymin, xmax, ymax`` are the bounds. A metric is null for the ``reason`` given, and where
    ``metrics`` has no row.
    """
    complete = patches[patches["complete"]]
    bounds = pd.DataFrame(
        {
            "patch_id": complete["patch_id"],
            "xmin": complete["x_he_px"],
            "ymin": complete["y_he_px"],
            "xmax": complete["x_he_px"] + complete["side_he_px"],
            "ymax": complete["y_he_px"] + complete["side_he_px"],
            "tissue_fraction": complete["tissue_fraction"],
            "covered_fraction": complete["covered_fraction"],
        }
    )
    measured = metrics[["patch_id", *METRIC_NAMES, "reason"]]
    joined = bounds.merge(measured, on="patch_id", how="left", validate="one_to_one")
    squares = shapely.box(*joined[["xmin", "ymin", "xmax", "ymax"]].to_numpy().T)
    located: pd.DataFrame = geopandas.GeoDataFrame(joined, geometry=squares)
    return located.set_axis(joined["patch_id"].to_numpy())


def _indexed(shapes: pd.DataFrame, key: str, columns: list[str]) -> pd.DataFrame:
    geometry = shapes["geometry"].to_numpy()
    located: pd.DataFrame = geopandas.GeoDataFrame(
        shapes[[key, *columns]].reset_index(drop=True), geometry=geometry
    )
    return located.set_index(key)
