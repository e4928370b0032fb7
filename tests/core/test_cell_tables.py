import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
from shapely import Polygon, box

from sthelar_build.core.cell_tables import cells_table, nuclei_table
from sthelar_build.schema import tables

FLAT = Polygon([(0, 0), (1, 1), (2, 2)])
BOW_TIE = Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])


def as_array(*geometries):
    array = np.empty(len(geometries), dtype=object)
    array[:] = geometries
    return array


def nuclei():
    owners = np.array(["b", "b", "a", "a"], dtype=object)
    labels = np.array([9, 2, 4, 1], dtype=np.uint32)
    return nuclei_table(owners, as_array(box(0, 0, 2, 3), BOW_TIE, FLAT, None), labels)


def cells():
    known = pd.DataFrame(
        {
            "cell_id": ["a", "b", "c"],
            "x_um": [1.0, 2, 3],
            "y_um": [4.0, 5, 6],
            "segmentation_method": None,
        }
    )
    return cells_table(
        known, np.array([1, 0, 1]), as_array(box(0, 0, 4, 4), FLAT, box(4, 0, 5, 1)), nuclei()
    )


def test_nuclei_without_area_have_no_row_and_the_others_are_numbered_without_a_gap():
    found = nuclei()
    assert found["nucleus_id"].tolist() == [1, 2]
    assert found["cell_id"].tolist() == ["b", "b"]
    assert found["area_um2"].tolist() == [6, 2]
    assert found["repaired"].tolist() == [False, True]
    assert found["raster_label"].tolist() == [9, 2]
    assert found[["x_um", "y_um"]].iloc[0].tolist() == [1, 1.5]


def test_a_cell_knows_its_nuclei_and_its_outline():
    found = cells()
    assert found["nucleus_count"].tolist() == [0, 2, 0]
    assert found["nucleus_area_um2"].fillna(-1).tolist() == [-1, 8, -1]
    assert found["area_um2"].fillna(-1).tolist() == [-1, 17, -1]
    assert shapely.is_missing(found["geometry"]).tolist() == [True, False, True]
    assert found["cell_number"].tolist() == [1, 2, 3]


def test_the_tables_fit_their_schemas():
    for frame, schema in ((nuclei(), tables.NUCLEI), (cells(), tables.CELLS)):
        plain = frame.assign(geometry=shapely.to_wkb(frame["geometry"].to_numpy()))
        assert pa.Table.from_pandas(plain, schema=schema).num_rows == len(frame)
        assert list(frame.columns) == schema.names


def test_nuclei_of_no_raster_have_no_label():
    found = nuclei_table(np.array(["a"], dtype=object), as_array(box(0, 0, 2, 3)))
    assert found["raster_label"].isna().all()
