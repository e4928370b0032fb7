"""Nuclei and cells as tables: who owns what, where, and how large."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from sthelar_build.core.polygons import Geometries, repair, unite


def nuclei_table(
    cell_ids: NDArray[Any], polygons: Geometries, raster_labels: NDArray[np.uint32] | None = None
) -> pd.DataFrame:
    """Return one row per nucleus that has an area, with the columns of ``schema.tables.NUCLEI``.

    Parameters
    ----------
    cell_ids
        (n,) text: the owner of each outline.
    polygons
        (n,) outlines in um, valid or not, in the order of the bundle; None where there is none.
    raster_labels
        (n,) value of each in the nucleus raster of the bundle; None if there is no such raster.

    Returns
    -------
    Rows in the same order, numbered from 1 without a gap; outlines without area have no row.
    """
    geometries, repaired = repair(polygons)
    kept = ~shapely.is_missing(geometries)
    geometries = geometries[kept]
    x_um, y_um = _centroids(geometries)
    labels = None if raster_labels is None else raster_labels[kept]
    return pd.DataFrame(
        {
            "nucleus_id": np.arange(1, len(geometries) + 1, dtype=np.uint32),
            "cell_id": cell_ids[kept],
            "x_um": x_um,
            "y_um": y_um,
            "area_um2": shapely.area(geometries),
            "repaired": repaired[kept],
            "raster_label": pd.array(labels, "UInt32") if labels is not None else None,
            "geometry": geometries,
        }
    )


def cells_table(
    cells: pd.DataFrame, outline_rows: NDArray[np.int64], outlines: Geometries, nuclei: pd.DataFrame
) -> pd.DataFrame:
    """Return one row per cell of the bundle, with the columns of ``schema.tables.CELLS``.

    Parameters
    ----------
    cells
        ``cell_id``, ``x_um``, ``y_um`` (centroids as the bundle says), ``segmentation_method``.
    outline_rows
        (m,) row of the cell of each outline; a cell may have none. Several are united.
    outlines
        (m,) outlines in um, valid or not.
    nuclei
        ``nuclei_table`` of the same bundle.
    """
    geometries, repaired = repair(unite(outline_rows, outlines, len(cells)))
    by_cell = nuclei.groupby("cell_id", observed=True)["area_um2"]
    outlined = ~shapely.is_missing(geometries)
    return pd.DataFrame(
        {
            "cell_id": cells["cell_id"],
            "cell_number": np.arange(1, len(cells) + 1, dtype=np.uint32),
            "x_um": cells["x_um"],
            "y_um": cells["y_um"],
            "area_um2": np.where(outlined, shapely.area(geometries), np.nan),
            "nucleus_area_um2": by_cell.sum().reindex(cells["cell_id"]).to_numpy(),
            "nucleus_count": by_cell.size()
            .reindex(cells["cell_id"], fill_value=0)
            .to_numpy(np.uint16),
            "segmentation_method": cells["segmentation_method"],
            "repaired": repaired & outlined,
            "geometry": geometries,
        }
    )


def _centroids(geometries: Geometries) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    centroids = shapely.centroid(geometries)
    return shapely.get_x(centroids), shapely.get_y(centroids)
