"""The tables of nuclei and cells where the nuclei are not those of the bundle."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from sthelar_build.core.cell_tables import cells_table, nuclei_table
from sthelar_build.core.grown_cells import grown_cells


def tables_of_new_nuclei(
    resegmented: pd.DataFrame, expansion_um: float, method: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return nuclei and cells, with the columns of ``schema.tables.NUCLEI`` and ``CELLS``: one nucleus per cell.

    Parameters
    ----------
    resegmented
        Columns of ``schema.tables.RESEGMENTED``.
    expansion_um
        How far cells reach beyond their nuclei; see ``grown_cells``.
    method
        What stands in ``segmentation_method``.
    """
    cell_ids, shapes = (resegmented[name].to_numpy() for name in ("cell_id", "geometry"))
    nuclei = nuclei_table(cell_ids, shapes)
    nuclei["repaired"] = resegmented["repaired"].to_numpy()
    outlines = grown_cells(shapes, expansion_um)
    centroids = shapely.centroid(outlines)
    listed = pd.DataFrame(
        {
            "cell_id": cell_ids,
            "x_um": shapely.get_x(centroids),
            "y_um": shapely.get_y(centroids),
            "segmentation_method": method,
        }
    )
    return nuclei, cells_table(listed, np.arange(len(listed)), outlines, nuclei)
