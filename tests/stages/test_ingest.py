import json

import geopandas
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely

from slides.five_cells import (
    NO_NUCLEUS,
    SHAPE_PX,
    TWO_NUCLEI,
    copy_of_bundle,
    remove_table,
    shown_slide,
)
from sthelar_build.errors import InputError
from sthelar_build.io.tables import check_table, read_provenance
from sthelar_build.schema import tables
from sthelar_build.settings.ingest import IngestSettings
from sthelar_build.stages import ingest

NAMES = ("nuclei.parquet", "cells.parquet", "transcripts.parquet", "bundle.json")


def run(bundle, out):
    ingest.run(bundle.folder, *(out / name for name in NAMES), settings=IngestSettings())
    return [geopandas.read_parquet(out / name) for name in NAMES[:2]]


@pytest.mark.parametrize("version", ["1.0.2", "3.0.0"])  # the others: test_bundle_kinds.py
def test_same_cells_in_same_cells_out(tmp_path, version):
    slide = shown_slide(version)
    nuclei, cells = run(copy_of_bundle(tmp_path / "outs", version), tmp_path)
    assert cells["cell_id"].tolist() == slide.cells["cell_id"].tolist()
    owners = slide.cells["cell_id"].to_numpy()[slide.nuclei["cell_row"]]
    assert nuclei["cell_id"].tolist() == owners.tolist()
    assert nuclei["nucleus_id"].tolist() == list(range(1, len(slide.nuclei) + 1))
    np.testing.assert_allclose(nuclei["area_um2"], slide.nuclei.area, rtol=1e-5)
    np.testing.assert_allclose(cells["area_um2"], slide.cells.area, rtol=1e-5)
    assert nuclei.geometry.is_valid.all()
    for name, schema in zip(NAMES, (tables.NUCLEI, tables.CELLS, tables.TRANSCRIPTS), strict=False):
        check_table(tmp_path / name, schema)


@pytest.fixture
def bundle(tmp_path):
    return copy_of_bundle(tmp_path / "outs", "3.0.0")


def test_an_id_with_the_largest_prefix_and_a_long_suffix_is_kept(tmp_path, bundle):
    _, cells = run(bundle, tmp_path)
    assert cells["cell_id"][0] == "pppppppp-12"


def test_nuclei_are_counted_and_summed_per_cell(tmp_path, bundle):
    _, cells = run(bundle, tmp_path)
    assert cells["nucleus_count"].tolist() == [2, 1, 0, 1, 1]
    assert cells["nucleus_area_um2"][TWO_NUCLEI] == pytest.approx(36)
    assert np.isnan(cells["nucleus_area_um2"][NO_NUCLEUS])


def test_a_bow_tie_and_a_hole_are_repaired_and_marked(tmp_path, bundle):
    nuclei, _ = run(bundle, tmp_path)
    assert nuclei["repaired"].tolist() == [False, False, True, True, False]
    assert nuclei.geometry[2].geom_type == "MultiPolygon"
    assert shapely.get_num_interior_rings(nuclei.geometry[3]) == 1


def test_without_cell_boundaries_the_cells_are_there_without_outline(tmp_path, bundle):
    remove_table(bundle.folder, "cell_boundaries.parquet")
    nuclei, cells = run(bundle, tmp_path)
    assert len(nuclei) == 5
    assert cells.geometry.isna().all()
    assert cells["area_um2"].isna().all()
    assert not cells["repaired"].any()


def test_a_ring_without_area_is_dropped_and_said(tmp_path, bundle, caplog):
    path = bundle.path("nucleus_boundaries.parquet")
    frame = pq.read_table(path).to_pandas()
    frame.loc[frame["label_id"] == 1, "vertex_x"] = 4.0
    frame.to_parquet(path)
    with caplog.at_level("INFO"):
        nuclei, cells = run(bundle, tmp_path)
    assert nuclei["nucleus_id"].tolist() == [1, 2, 3, 4]
    assert cells["nucleus_count"].tolist() == [1, 1, 0, 1, 1]
    assert "nuclei: kept 4 of 5" in caplog.text


def test_the_bundle_is_described(tmp_path, bundle):
    run(bundle, tmp_path)
    facts = json.loads((tmp_path / "bundle.json").read_text())
    assert (facts["height_px"], facts["width_px"]) == SHAPE_PX
    assert facts["morphology"] == "morphology_focus/morphology_focus_0000.ome.tif"
    assert facts["genes"][0] == {"name": "EPCAM", "id": "ENSG00000119888"}
    assert [len(facts["genes"]), facts["n_cells"], facts["n_nuclei"]] == [3, 5, 5]
    assert facts["n_transcripts"] == pq.read_metadata(tmp_path / "transcripts.parquet").num_rows
    assert read_provenance(tmp_path / "transcripts.parquet")["stage"] == "ingest"


def test_outlines_of_cells_that_the_bundle_does_not_have_are_refused(tmp_path, bundle):
    path = bundle.path("cells.parquet")
    pq.write_table(pq.read_table(path).slice(0, 4), path)
    with pytest.raises(InputError, match="aaaaaaah-2; copy all files from the same run"):
        run(bundle, tmp_path)


def test_damage_found_late_leaves_nothing_behind(tmp_path, bundle):
    path = bundle.path("transcripts.parquet")
    data = bytearray(path.read_bytes())
    data[10:4000] = bytes(3990)
    path.write_bytes(data)
    out = tmp_path / "results"
    with pytest.raises(InputError, match=r"transcripts\.parquet"):
        run(bundle, out)
    assert list(out.iterdir()) == []
