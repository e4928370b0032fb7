"""The folder of predictions: what is written is read, row by row, and what is broken is refused."""

import json

import h5py
import numpy as np
import pytest
import zarr

from slides.predicted import SOURCE, write_predictions
from sthelar_build.core.predicted_maps import UNASSIGNED
from sthelar_build.errors import InputError
from sthelar_build.io import map_chunks
from sthelar_build.io.instance_maps import open_instance_maps
from sthelar_build.io.predictions import Predictions, open_predictions, write_instance_maps

SHAPE = (2, 3, 4)
MAP = np.array([[0, 5, 5, 0], [0, 0, 0, 0], [0, 0, 0, 7], [9, 9, 0, UNASSIGNED]], dtype=np.uint32)
EMPTY = np.zeros((4, 4), dtype=np.uint32)
REASONS = {1: "no_tissue", 2: "outside", 3: "outside", 5: "outside"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Patches 0 and 4 are segmented; 4 shows three nuclei, one of which has no entry."""
    monkeypatch.setattr(map_chunks, "_MOST_COLUMNS", 2)
    maps = {0: EMPTY, 4: MAP}
    return write_predictions(
        tmp_path / "predictions", SHAPE, maps, REASONS, "cellvit", {5: 1, 9: 2}
    )


def test_maps_and_tables_come_back_as_they_were(folder):
    found = open_predictions(folder)
    assert (found.n_patches, found.side_px, found.method, found.knows_types) == (6, 4, "cellvit", True)  # fmt: skip
    np.testing.assert_array_equal(found.instances(4), MAP)
    assert [m.any() for m in found.each_between(0, 6)] == [False, False, False, False, True, False]
    nuclei = found.nuclei_between(3, 6)
    assert nuclei[["patch_id", "instance_id", "type_index"]].values.tolist() == [[4, 5, 1], [4, 9, 2]]  # fmt: skip
    assert nuclei.iloc[0][["top_px", "left_px", "bottom_px", "right_px"]].tolist() == [0, 1, 1, 3]
    assert nuclei.iloc[0][["x_px", "y_px"]].tolist() == [2, 0.5]
    assert found.nuclei_between(0, 4).empty


def test_the_patches_tell_what_they_hold_or_why_they_were_left_out(folder):
    patches = open_predictions(folder).patches
    assert patches["patch_id"].tolist() == list(range(6))
    assert patches["n_nuclei"].tolist() == [0, 0, 0, 0, 2, 0]
    assert patches["nucleus_px"].tolist() == [0, 0, 0, 0, 6, 0]
    assert patches["reason"].where(patches["reason"].notna(), None).tolist() == [None, "no_tissue", "outside", "outside", None, "outside"]  # fmt: skip


def test_the_manifest_counts(folder):
    manifest = open_predictions(folder).manifest
    assert (manifest["n_segmented"], manifest["n_nuclei"]) == (2, 2)
    assert manifest["not_segmented"] == {"outside": 3, "no_tissue": 1, "not_run": 0}
    assert manifest["nuclei_per_type"] == {"Background": 0, "Round": 1, "Flat": 1}
    assert manifest["provenance"] == SOURCE


def test_the_published_layout_has_the_instances_of_segmented_patches_also_without_entry(
    folder, tmp_path
):
    write_instance_maps(folder, tmp_path / "maps.h5")
    with open_instance_maps(tmp_path / "maps.h5") as maps:
        assert maps.patch_ids == [0, 4]
        expected = np.where(MAP == UNASSIGNED, 0, MAP)
        np.testing.assert_array_equal(maps.read(4, 4).dense(), expected)
        assert not maps.read(0, 4).data.size
    with h5py.File(tmp_path / "maps.h5") as file:
        assert json.loads(file.attrs["sthelar"]) == SOURCE


def test_a_method_without_types_has_nulls(tmp_path):
    found = open_predictions(write_predictions(tmp_path / "p", (1, 1, 4), {0: MAP}, {}))
    assert not found.knows_types
    assert found.nuclei_between(0, 1)["type_index"].isna().all()
    assert found.manifest["nuclei_per_type"] is None


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"method": "haematoxylin", "network": None}, "threshold of the haematoxylin"),
        ({"method": "supplied"}, "maps that the sheet names"),
        (
            {"method": "cellvit", "network": {"arch": "CellViTSAM", "sha256": "0123456789abcdef"}},
            "CellViTSAM, checkpoint 01234567",
        ),
    ],
)
def test_people_are_told_what_segmented(tmp_path, facts, words):
    assert Predictions(tmp_path, facts, chunks=None).segmented_by == words


def test_patches_beyond_the_grid_are_an_error_of_ours(folder):
    with pytest.raises(IndexError, match="patches 5 to 7 of 6"):
        next(open_predictions(folder).each_between(5, 7))


def test_a_folder_that_is_not_whole_is_refused(folder):
    manifest = folder / "manifest.json"
    record = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**record, "n_patches": 7}))
    with pytest.raises(InputError, match="expected 7 patches of 4 px as the manifest says"):
        open_predictions(folder)
    zarr_json = folder / "instances.zarr" / "zarr.json"
    manifest.write_text(json.dumps(record))
    assert zarr.open_array(folder / "instances.zarr", mode="r").shape == (2, 3, 4, 4)
    zarr_json.unlink()
    with pytest.raises(InputError, match="expected a zarr array, found none"):
        open_predictions(folder)
    (folder / "patches.parquet").unlink()
    with pytest.raises(InputError, match=r"patches\.parquet: expected a parquet file"):
        open_predictions(folder)
