import zipfile

import numpy as np
import pytest
import shapely

from slides.five_cells import copy_of_bundle, shown_slide
from sthelar_build.core.polygons import repair
from sthelar_build.io.xenium import cells_zarr
from sthelar_build.io.xenium.bundle import CELLS_ZARR
from sthelar_build.io.xenium.cells_zarr import nuclei_of

PIXEL_UM = 0.2125


@pytest.fixture
def store(tmp_path):
    return copy_of_bundle(tmp_path / "outs", "2.0.0").path(CELLS_ZARR)


@pytest.fixture
def nuclei():
    return shown_slide("2.0.0").nuclei


def differing_area_um2(polygons, nuclei):
    mended, _ = repair(polygons)
    return shapely.area(shapely.symmetric_difference(mended, nuclei.geometry.to_numpy()))


def without_vertices(path):
    with zipfile.ZipFile(path) as archive:
        kept = {n: archive.read(n) for n in archive.namelist() if "vertices" not in n}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in kept.items():
            archive.writestr(name, data)


def test_nuclei_come_from_the_polygon_set_with_their_cells(store, nuclei):
    rows, polygons = nuclei_of(store, PIXEL_UM)
    assert rows.tolist() == nuclei["cell_row"].tolist()
    assert differing_area_um2(polygons, nuclei).max() < 1e-3


@pytest.mark.parametrize("band_rows", [1024, 40])
def test_without_vertices_nuclei_are_traced_in_the_mask_wherever_bands_cut_them(
    store, nuclei, monkeypatch, band_rows
):
    monkeypatch.setattr(cells_zarr, "_BAND_ROWS", band_rows)
    without_vertices(store)
    rows, polygons = nuclei_of(store, PIXEL_UM)
    assert rows.tolist() == nuclei["cell_row"].tolist()
    assert (differing_area_um2(polygons, nuclei) < nuclei.length * PIXEL_UM).all()
    on_grid = shapely.get_coordinates(polygons) / PIXEL_UM
    np.testing.assert_allclose(on_grid, np.round(on_grid), atol=1e-6)
