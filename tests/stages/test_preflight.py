import json

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tifffile

from slides.five_cells import remove_table
from slides.raw_slide import HE_UM_PER_PX, write_atlas, write_raw_slide
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.ome_tiff import write_ome_tiff
from sthelar_build.settings.preflight import PreflightSettings
from sthelar_build.stages import preflight


@pytest.fixture
def raw(tmp_path):
    """Every raw file of a slide, in order."""
    write_raw_slide(tmp_path)
    return {
        "slide": "toy",
        "xenium": tmp_path / "outs",
        "he": tmp_path / "he_image.ome.tif",
        "reference": tmp_path / "reference.h5ad",
        "label_key": "cell_type",
        "alignment": tmp_path / "matrix.csv",
        "out": tmp_path / "results" / "preflight.json",
        "settings": PreflightSettings(),
    }


def run(raw, **changes):
    arguments = {**raw, **changes}
    preflight.run(**arguments)
    return json.loads(arguments["out"].read_text())


def test_good_files_are_described_and_have_no_problem(raw):
    record = run(raw)
    assert record["problems"] == []
    assert record["slide"] == "toy"
    expected = {
        "xoa_version": "3.0.0",
        "layout": "2.0",
        "pixel_size_um": 0.2125,
        "morphology_width_px": 260,
        "morphology_height_px": 190,
        "panel": "Simulated panel",
        "n_genes": 3,
        "n_cells": 5,
        "n_nuclei": 5,
        "n_transcripts": 600,
        "he_width_px": 130,
        "he_height_px": 95,
        "he_um_per_px": pytest.approx(HE_UM_PER_PX),
        "alignment_um_per_px": pytest.approx(0.425),
        "alignment_keypoints": 0,
        "reference_cells": 6,
        "reference_matrix": "X",
        "reference_scale": "raw",
        "reference_labels": {"B cell": 3, "T cell": 3},
        "shared_genes": 2,
    }
    assert {key: record["facts"][key] for key in expected} == expected


def test_the_log_says_what_was_found_as_the_doctor_does(raw, caplog):
    with caplog.at_level("INFO", "sthelar_build.stages.preflight"):
        run(raw)
    assert "toy: H&E: 130 x 95 px, 5 levels, 0.425 um a pixel" in caplog.messages


def test_an_alignment_that_contradicts_the_pixel_size_of_the_image_is_a_problem(raw):
    raw["alignment"].write_text("0.5,0,0\n0,0.5,0\n0,0,1\n")
    (problem,) = run(raw)["problems"]
    assert "0.1062 um, the H&E says 0.425 um" in problem


@pytest.mark.parametrize(
    ("resolution", "unit", "problem"),
    [
        ((72, 72), "INCH", "does not say its pixel size, or one that no scanner has"),
        ((0, 0), "NONE", "does not say its pixel size"),
        ((25400, 25400), "INCH", "makes an H&E pixel 0.425 um, the H&E says 1 um"),
        ((1e4, 1e4), "CENTIMETER", "makes an H&E pixel 0.425 um, the H&E says 1 um"),
    ],
)
def test_a_pixel_size_that_is_missing_absurd_or_a_default_is_a_problem(
    raw, resolution, unit, problem
):
    pixels = np.full((95, 130, 3), 200, np.uint8)
    tifffile.imwrite(raw["he"], pixels, resolution=resolution, resolutionunit=unit, metadata=None)
    (found,) = run(raw)["problems"]
    assert problem in found


def test_tables_that_are_there_as_csv_alone_are_read_and_said(raw):
    for name in ("cells", "nucleus_boundaries"):
        (raw["xenium"] / f"{name}.parquet").unlink()
    record = run(raw)
    assert (record["facts"]["n_cells"], record["facts"]["n_nuclei"]) == (5, 5)
    assert [problem.split(":")[0] for problem in record["problems"]] == [
        "The bundle has no cells.parquet",
        "The bundle has no nucleus_boundaries.parquet",
    ]


def test_a_reference_with_few_genes_of_the_panel_is_a_problem(raw):
    write_atlas(raw["reference"], {"EPCAM": "ENSG00000119888", "ACTB": "ENSG00000075624"})
    (problem,) = run(raw)["problems"]
    assert problem.startswith("Only 1 of the 3 genes")


def test_a_label_map_for_labels_that_the_reference_lacks_is_a_problem(raw, tmp_path):
    label_map = tmp_path / "map.tsv"
    label_map.write_text("label\tclass\nT cells\tT_NK\nMacrophagge\tMyeloid\n", encoding="utf-8")
    (problem,) = run(raw, label_map=label_map)["problems"]
    assert problem == "The reference lacks labels of the label_map: Macrophagge."


def test_missing_cell_boundaries_and_an_unknown_version_are_problems(raw):
    remove_table(raw["xenium"], "cell_boundaries.parquet")
    path = raw["xenium"] / "experiment.xenium"
    path.write_text(json.dumps({**json.loads(path.read_text()), "analysis_sw_version": "?"}))
    assert len(run(raw)["problems"]) == 2


def test_without_alignment_there_is_nothing_to_say_of_it(raw):
    assert "alignment_um_per_px" not in run(raw, alignment=None)["facts"]


def test_predictions_made_elsewhere_are_counted(raw, tmp_path):
    path = tmp_path / "made.h5"
    with h5py.File(path, "w") as file:
        for part, values in {"data": [], "indices": [], "indptr": [0], "shape": [0, 0]}.items():
            file[f"7_{part}"] = np.array(values)
    assert run(raw, predictions=[path, path])["facts"]["predicted_patches"] == 2


def break_table(name):
    def damage(raw):
        path = raw["xenium"] / name
        path.write_bytes(path.read_bytes()[:-50])

    return damage


def empty_cells(raw):
    path = raw["xenium"] / "cells.parquet"
    pq.write_table(pq.read_table(path).slice(0, 0), path)


def grey_he(raw):
    write_ome_tiff(raw["he"], np.ones((64, 64), np.uint16), 0.5, channel_names=["DAPI"], tile_px=64)


def other_columns(raw):
    path = raw["xenium"] / "nucleus_boundaries.parquet"
    pq.write_table(pa.table({"cell": [1], "x": [0.0], "y": [0.0]}), path)


IMPOSSIBLE = {
    "transcripts cut short": (break_table("transcripts.parquet"), "transcripts.parquet"),
    "matrix cut short": (break_table("cell_feature_matrix.h5"), "cell_feature_matrix.h5"),
    "no cells": (empty_cells, "at least one of cells"),
    "boundaries of another kind": (other_columns, "vertex_x"),
    "a grey H&E": (grey_he, "RGB"),
    "no alignment": (lambda raw: raw["alignment"].write_text("1,2\n"), "3x3"),
    "a singular matrix": (
        lambda raw: raw["alignment"].write_text("1,1,0\n1,1,0\n0,0,1\n"),
        "singular",
    ),
    "an atlas of another organism": (
        lambda raw: write_atlas(raw["reference"], {"Actb": "ENSMUSG1", "Gapdh": "ENSMUSG2"}),
        "genes of the panel",
    ),
    "no atlas": (lambda raw: raw["reference"].write_text("x"), "h5ad"),
}


@pytest.mark.parametrize(("damage", "word"), IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_what_makes_a_run_impossible_is_one_line_and_leaves_nothing(raw, damage, word):
    damage(raw)
    with pytest.raises(InputError) as error:
        run(raw)
    assert word in str(error.value)
    assert "\n" not in str(error.value)
    assert not raw["out"].exists()


def test_a_label_column_that_is_absent_is_answered_with_those_that_are_there(raw):
    with pytest.raises(InputError, match=r"'celltype'.*found cell_type"):
        run(raw, label_key="celltype")


def test_a_layer_that_is_absent_is_named(raw):
    with pytest.raises(InputError, match="'raw'"):
        run(raw, layer="raw")


def test_a_label_map_with_an_unknown_class_is_named(raw, tmp_path):
    path = tmp_path / "map.tsv"
    path.write_text("label\tclass\nB cell\tLymphocyte\n")
    with pytest.raises(ConfigError, match="Lymphocyte"):
        run(raw, label_map=path)


def test_an_h5_without_instance_maps_is_refused(raw, tmp_path):
    path = tmp_path / "made.h5"
    with h5py.File(path, "w") as file:
        file["unrelated"] = np.zeros(1)
    with pytest.raises(InputError, match=r"17_data.*found unrelated"):
        run(raw, predictions=[path])
