import numpy as np
import pytest
from shapely import box

from sthelar_build.core.new_nuclei import new_nuclei
from sthelar_build.errors import InputError
from sthelar_build.io.resegmented import read_resegmented
from sthelar_build.io.tables import write_table
from sthelar_build.schema.tables import NUCLEI, RESEGMENTED


@pytest.fixture
def path(tmp_path):
    shapes = np.array([box(10, 10, 14, 14), box(30, 10, 34, 14)], dtype=object)
    table = new_nuclei(shapes, np.array([None, "b"]), (50, 50), (1, 100)).table
    write_table(tmp_path / "r.parquet", table, RESEGMENTED, {}, {"source": "geojson"})
    return tmp_path / "r.parquet"


def test_nuclei_come_with_their_cells_and_their_source(path):
    found = read_resegmented(path, 3)
    assert found.source == "geojson"
    assert found.nuclei["area_um2"].tolist() == [16, 16]
    assert found.cells["geometry"][0].bounds == pytest.approx((7, 7, 17, 17))
    assert found.cells["segmentation_method"][0] == "Nuclei of geojson, grown by 3 um"


def test_another_table_is_refused(path, tmp_path):
    found = read_resegmented(path, 0)
    other = tmp_path / "other.parquet"
    write_table(other, found.nuclei, NUCLEI, {})
    with pytest.raises(InputError, match=r"other\.parquet"):
        read_resegmented(other, 0)
