import zipfile

import numpy as np
import pytest
import shapely
import zarr

from slides.five_cells import copy_of_bundle, shown_slide
from sthelar_build.core.polygons import repair
from sthelar_build.errors import InputError
from sthelar_build.io.xenium import cells_zarr
from sthelar_build.io.xenium.bundle import CELLS_ZARR
from sthelar_build.io.xenium.cells_zarr import nuclei_of, raster_values

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


def store_with(path, **arrays):
    with zarr.storage.ZipStore(path, mode="w") as store:
        group = zarr.open_group(store, mode="w", zarr_format=2)
        for name, values in arrays.items():
            group.create_array(name, data=np.array(values, dtype=np.uint32))
    return path


def test_a_1x_store_says_the_values_of_its_cells_or_they_count_from_1(tmp_path):
    said = store_with(tmp_path / "said.zip", seg_mask_value=[7, 3, 9])
    assert raster_values(said, 3).tolist() == [7, 3, 9]
    silent = store_with(tmp_path / "silent.zip", cell_id=[1, 2, 3])
    assert raster_values(silent, 3).tolist() == [1, 2, 3]


def test_values_of_other_cells_are_refused(tmp_path):
    said = store_with(tmp_path / "said.zip", seg_mask_value=[7, 3, 9])
    with pytest.raises(InputError, match="of the 4 cells of the bundle, found 3"):
        raster_values(said, 4)
