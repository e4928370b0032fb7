import geopandas
import numpy as np
import pandas as pd
from shapely import box

from sthelar_build.core.slide_shapes import cell_shapes, nucleus_shapes, patch_shapes


def test_cells_without_an_outline_are_left_out():
    cells = geopandas.GeoDataFrame(
        {
            "cell_id": ["a-1", "b-1"],
            "cell_number": [1, 2],
            "area_um2": [1, None],
            "repaired": False,
        },
        geometry=[box(0, 0, 1, 1), None],
    )
    assert cell_shapes(cells).index.tolist() == ["a-1"]


def test_nuclei_are_indexed_by_the_id_in_the_masks():
    nuclei = geopandas.GeoDataFrame(
        {"nucleus_id": [1, 2], "cell_id": ["a-1", "a-1"], "area_um2": 1.0, "repaired": False},
        geometry=[box(0, 0, 1, 1), box(2, 0, 3, 1)],
    )
    shapes = nucleus_shapes(nuclei)
    assert shapes.index.tolist() == [1, 2]
    assert shapes.index.name == "nucleus_id"


def test_patches_meet_their_metrics_by_id_not_by_place():
    patches = pd.DataFrame(
        {
            "patch_id": [0, 1, 2],
            "x_he_px": [0.0, 10.0, 20.0],
            "y_he_px": 5.0,
            "side_he_px": 10.0,
            "complete": [True, False, True],
            "tissue_fraction": 1.0,
            "covered_fraction": [0.5, np.nan, 1.0],
        }
    )
    metrics = pd.DataFrame(
        {
            "patch_id": [2, 1, 0],
            "Dice": [0.2, np.nan, 0.1],
            "Jaccard": [0.2, np.nan, 0.1],
            "bPQ": [0.2, np.nan, 0.1],
            "reason": [None, "outside", None],
        }
    )
    shapes = patch_shapes(patches, metrics)
    assert shapes["patch_id"].tolist() == [0, 2]
    assert shapes["Dice"].tolist() == [0.1, 0.2]
    assert shapes["covered_fraction"].tolist() == [0.5, 1.0]
    assert [g.bounds for g in shapes.geometry] == [(0, 5, 10, 15), (20, 5, 30, 15)]
