"""A mosaic of 2 x 2 small blocks: what independent readers and the readers of the project find in it."""

import h5py
import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import scipy.sparse as sp
import tifffile
import zarr
from pydantic import ValidationError

from sthelar_build.io.records import read_record
from sthelar_build.io.tables import read_table
from sthelar_build.schema.tables import NUCLEI, TRUTH_CELLS, TRUTH_NUCLEI
from sthelar_build.settings.ingest import IngestSettings
from sthelar_build.settings.preflight import PreflightSettings
from sthelar_build.settings.simulate import SimulateSettings
from sthelar_build.stages import ingest, preflight, simulate

STRAIGHT = {"he_rotation_deg": 0, "he_margin_um": 0, "he_um_per_px": 0.2125 * 4 / 3}
RECIPE = SimulateSettings(
    width_um=54.4,
    height_um=68,
    mosaic_columns=2,
    mosaic_rows=2,
    transcripts_per_cell=40,
    reference_cells=1,
    **STRAIGHT,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("mosaic") / "large"
    simulate.run(out=out, slide="large", settings=RECIPE)
    return out


@pytest.fixture(scope="module")
def transcripts(made):
    return pq.read_table(made / "xenium" / "transcripts.parquet")


@pytest.fixture(scope="module")
def cells(made):
    return pq.read_table(made / "xenium" / "cells.parquet").to_pandas()


def test_ids_are_unique_and_counts_add_up(made, transcripts, cells):
    truth = read_record(made / "truth" / "truth.json", ("n_cells", "n_nuclei", "n_transcripts"))
    assert cells["cell_id"].is_unique
    assert len(cells) == truth["n_cells"]
    assert pc.count_distinct(transcripts["transcript_id"]).as_py() == truth["n_transcripts"]
    assert cells["nucleus_count"].sum() == truth["n_nuclei"]
    assert read_table(made / "truth" / "cells.parquet", TRUTH_CELLS)["cell_id"].tolist() == cells["cell_id"].tolist()  # fmt: skip
    nuclei = read_table(made / "truth" / "nuclei.parquet", TRUTH_NUCLEI)
    assert nuclei["nucleus_id"].tolist() == list(range(1, truth["n_nuclei"] + 1))


def test_the_matrix_counts_the_transcripts_that_name_the_cell(made, transcripts, cells):
    with h5py.File(made / "xenium" / "cell_feature_matrix.h5") as file:
        group = file["matrix"]
        names = group["features/name"].asstr()[:]
        barcodes = group["barcodes"].asstr()[:]
        parts = (group["data"][:], group["indices"][:], group["indptr"][:])
        matrix = sp.csc_matrix(parts, shape=tuple(group["shape"][:]))
    assert barcodes.tolist() == cells["cell_id"].tolist()
    table = transcripts.to_pandas()
    table = table[(table["qv"] >= 20) & (table["cell_id"] != "UNASSIGNED")]
    rows = pd.Index(cells["cell_id"]).get_indexer(table["cell_id"])
    columns = pd.Index(names).get_indexer(table["feature_name"])
    expected = np.zeros((len(names), len(cells)), dtype=int)
    np.add.at(expected, (columns, rows), 1)
    np.testing.assert_array_equal(matrix.toarray(), expected)


def test_no_two_cells_with_enough_transcripts_are_doubles(transcripts):
    table = transcripts.to_pandas()
    table = table[table["cell_id"] != "UNASSIGNED"]
    counts = pd.crosstab(table["cell_id"], table["feature_name"])
    counts = counts[counts.sum(axis=1) >= 10]
    assert len(counts) > 50
    assert not counts.duplicated().any()


def test_every_part_of_the_slide_has_transcripts_of_its_fields(transcripts):
    left = pc.less(transcripts["x_location"], 54.4).to_numpy()
    top = pc.less(transcripts["y_location"], 68).to_numpy()
    corner = left * 2 + top
    assert len(set(corner.tolist())) == 4
    assert transcripts["x_location"].to_numpy().max() <= np.float32(2 * 54.4)


def test_images_have_the_size_of_the_slide_and_halve_level_by_level(made):
    dapi = made / "xenium" / "morphology_focus" / "morphology_focus_0000.ome.tif"
    for path, shape in ((dapi, (640, 512)), (made / "he_image.ome.tif", (480, 384, 3))):
        with tifffile.TiffFile(path) as tiff:
            levels = tiff.series[0].levels
            assert levels[0].shape == shape
            for below, level in zip(levels[1:], levels, strict=False):
                assert below.shape[:2] == (level.shape[0] // 2, level.shape[1] // 2)
    assert tifffile.imread(dapi).std() > 50


def test_a_label_of_the_raster_lies_on_the_nucleus_of_its_position(made):
    with zarr.storage.ZipStore(made / "xenium" / "cells.zarr.zip", mode="r") as store:
        group = zarr.open_group(store, mode="r")
        raster = group["masks/0"][:]
        owners = group["polygon_sets/0/cell_index"][:]
    nuclei = read_table(made / "truth" / "nuclei.parquet", TRUTH_NUCLEI)
    cells = read_table(made / "truth" / "cells.parquet", TRUTH_CELLS)
    assert cells["cell_id"].to_numpy()[owners].tolist() == nuclei["cell_id"].tolist()
    assert set(np.unique(raster)) == set(range(len(nuclei) + 1))
    rows, columns = np.nonzero(raster == len(nuclei))
    centre_um = (np.array([columns.mean(), rows.mean()]) + 0.5) * 0.2125
    true_um = nuclei.geometry.iloc[-1].centroid
    assert np.hypot(centre_um[0] - true_um.x, centre_um[1] - true_um.y) < 0.3


def test_preflight_and_ingest_read_it(made, tmp_path, cells):
    preflight.run(
        slide="large",
        xenium=made / "xenium",
        he=made / "he_image.ome.tif",
        reference=made / "reference.h5ad",
        label_key="cell_type",
        alignment=made / "alignment_matrix.csv",
        out=tmp_path / "preflight.json",
        settings=PreflightSettings(),
    )
    assert read_record(tmp_path / "preflight.json", ("problems",))["problems"] == []
    paths = {name: tmp_path / f"{name}.parquet" for name in ("nuclei", "cells", "transcripts")}
    ingest.run(
        xenium=made / "xenium", **paths, bundle=tmp_path / "bundle.json", settings=IngestSettings()
    )
    assert len(read_table(paths["nuclei"], NUCLEI)) == cells["nucleus_count"].sum()


def test_a_mosaic_whose_blocks_do_not_meet_is_refused():
    with pytest.raises(ValidationError, match=r"multiple of 32 px of 0\.2125 um, found 470\.59 px"):
        SimulateSettings(width_um=100, height_um=54.4, mosaic_columns=2, **STRAIGHT)
    with pytest.raises(ValidationError, match="expected a mosaic to lie straight"):
        SimulateSettings(width_um=54.4, height_um=54.4, mosaic_rows=2)
