import numpy as np
import pytest
from shapely import box

from sthelar_build.core.new_cells import tables_of_new_nuclei
from sthelar_build.core.new_nuclei import new_nuclei


def tables(expansion_um):
    shapes = np.array([box(10, 10, 14, 14), box(16, 10, 20, 14)], dtype=object)
    found = new_nuclei(shapes, np.array([None, None]), (50, 50), (1, 100)).table
    return tables_of_new_nuclei(found.assign(repaired=[True, False]), expansion_um, "drawn")


def test_every_nucleus_has_a_cell_of_its_own():
    nuclei, cells = tables(5)
    assert nuclei["cell_id"].tolist() == cells["cell_id"].tolist() == ["aaaaaaab-1", "aaaaaaac-1"]
    assert cells["nucleus_count"].tolist() == [1, 1]
    assert cells["nucleus_area_um2"].tolist() == [16, 16]
    assert set(cells["segmentation_method"]) == {"drawn"}
    assert nuclei["repaired"].tolist() == [True, False]
    assert nuclei["raster_label"].isna().all()


def test_cells_reach_beyond_their_nuclei_and_meet_half_way():
    _, cells = tables(5)
    assert cells["geometry"][0].bounds == pytest.approx((5, 5, 15, 19), abs=0.1)
    assert cells["x_um"][0] == pytest.approx(10.3, abs=0.2)


def test_without_expansion_cells_are_their_nuclei():
    _, cells = tables(0)
    assert cells["area_um2"].tolist() == [16, 16]
