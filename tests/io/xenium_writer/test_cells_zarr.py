import zipfile
from dataclasses import replace

import numpy as np
import pytest
import zarr
from shapely import box

from slides.five_cells import SHAPE_PX, five_cells, shown_slide
from sthelar_build.core.simulation.mosaic import Mosaic
from sthelar_build.core.simulation.slide import PIXEL_SIZE_UM
from sthelar_build.core.simulation.versions import traits_of
from sthelar_build.io.xenium_writer import cells_zarr as cells_zarr_writer
from sthelar_build.io.xenium_writer.cells_zarr import write_cells_zarr


def written(path, version, slide=None):
    """Return every array of the store by name, and the attributes of the root and of the summary."""
    write_cells_zarr(path, Mosaic.of(slide or shown_slide(version)), traits_of(version))
    with zarr.storage.ZipStore(path, mode="r") as store:
        group = zarr.open_group(store, mode="r")
        arrays = {
            name: array[...]
            for name, array in group.members(max_depth=None)
            if isinstance(array, zarr.Array)
        }
        return arrays, dict(group.attrs), dict(group["cell_summary"].attrs)


@pytest.mark.parametrize(
    ("version", "special"),
    [
        ("1.0.2", {"polygon_vertices", "polygon_num_vertices"}),
        ("1.9.0", {"polygon_vertices", "polygon_num_vertices", "seg_mask_value"}),
        ("3.0.0", {f"polygon_sets/{i}/{part}" for i in (0, 1) for part in ("cell_index", "method", "num_vertices", "vertices")}),
    ],
)  # fmt: skip
def test_every_version_has_its_arrays(tmp_path, version, special):
    arrays, attributes, _ = written(tmp_path / "cells.zarr.zip", version)
    common = {"cell_id", "cell_summary", "masks/0", "masks/1", "masks/homogeneous_transform"}
    assert set(arrays) == common | special
    assert attributes["number_cells"] == 5
    assert attributes["major_version"] == (6 if version >= "2" else 5)


def test_the_largest_id_is_kept(tmp_path):
    arrays, _, _ = written(tmp_path / "cells.zarr.zip", "3.0.0")
    assert arrays["cell_id"][0].tolist() == [0xFFFFFFFF, 12]


def test_the_summary_names_its_columns(tmp_path):
    arrays, _, attributes = written(tmp_path / "cells.zarr.zip", "3.0.0")
    summary = dict(zip(attributes["column_names"], arrays["cell_summary"].T, strict=True))
    assert summary["nucleus_count"].tolist() == [2, 1, 0, 1, 1]
    assert summary["cell_area"][0] == pytest.approx(144)
    assert summary["nucleus_centroid_x"][0] == pytest.approx(7)


@pytest.mark.parametrize("band_rows", [1024, 33])
def test_where_nuclei_overlap_the_smaller_keeps_the_pixel(tmp_path, monkeypatch, band_rows):
    monkeypatch.setattr(cells_zarr_writer, "_BAND_ROWS", band_rows)
    slide = five_cells()
    small, large = box(3, 3, 5, 5), box(2, 2, 11, 11)
    nuclei = slide.nuclei.iloc[:2].set_geometry([small, large])
    arrays, _, _ = written(tmp_path / "cells.zarr.zip", "3.0.0", replace(slide, nuclei=nuclei))
    centres_um = (np.arange(max(SHAPE_PX)) + 0.5) * PIXEL_SIZE_UM
    in_small = ((centres_um > 3) & (centres_um < 5)).sum() ** 2
    in_large = ((centres_um > 2) & (centres_um < 11)).sum() ** 2
    assert np.bincount(arrays["masks/0"].ravel())[1:].tolist() == [in_small, in_large - in_small]


def test_the_zip_is_not_compressed_again_and_bears_no_time(tmp_path):
    path = tmp_path / "cells.zarr.zip"
    written(path, "3.0.0")
    with zipfile.ZipFile(path) as archive:
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
