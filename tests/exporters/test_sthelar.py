"""The published layout of STHELAR, as scipy and zipfile read it."""

import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from slides import two_slides
from sthelar_build.errors import InputError
from sthelar_build.exporters import sthelar
from sthelar_build.io.png import png_pixels
from sthelar_build.settings.export import ExportSettings


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sthelar")
    source = two_slides.source_of(folder / "slides")
    sthelar.write(source, folder / "out", ExportSettings(), 2)
    return source, folder / "out"


def test_scipy_loads_masks_whose_last_column_is_the_class_and_the_others_count_instances(exported):
    source, out = exported
    csr = scipy.sparse.load_npz(out / "masks_skin_s1.npz")
    ids = np.load(out / "patch_ids_skin_s1.npy")
    assert csr.shape == (len(ids) * 32 * 32, 10)
    masks = csr.toarray().reshape(len(ids), 32, 32, 10)
    for mask, patch_id, patch in zip(masks, ids, source.of_slide("skin_s1"), strict=True):
        assert patch_id == patch.patch_id
        np.testing.assert_array_equal(mask[..., 9], patch.types)
        assert mask[..., :9].max(axis=(0, 1)).tolist() == patch.counts.tolist()
        np.testing.assert_array_equal((mask[..., :9] > 0).sum(axis=-1), patch.instances > 0)


def test_cell_numbers_in_the_masks_lead_to_the_cells(exported):
    source, out = exported
    cells = pd.read_csv(out / "cell_numbers_breast_s0.csv").set_index("cell_number")["cell_id"]
    with zipfile.ZipFile(out / "masks_cell_ids_nuclei.zip") as archive:
        for patch in source.of_slide("breast_s0"):
            csr = scipy.sparse.load_npz(io.BytesIO(archive.read(f"{patch.name}.npz")))
            for nucleus in patch.nucleus_ids:
                number = np.unique(csr.toarray()[patch.instances == nucleus])
                assert len(number) == 1
                assert cells[number[0]] == f"cell{(nucleus - 1) % 100 + 1:03d}-1"


def test_images_are_those_of_the_patches(exported):
    source, out = exported
    with zipfile.ZipFile(out / "images.zip") as archive:
        assert archive.namelist() == [f"{name}.png" for name in source.table["name"]]
        for patch in source:
            np.testing.assert_array_equal(
                png_pixels(archive.read(f"{patch.name}.png")), patch.image
            )


def test_dictionaries_name_every_label_and_number_the_nine_classes_from_zero(exported):
    _, out = exported
    read = {
        name: json.loads((out / "annot_dicts" / f"{name}.json").read_text())
        for name in ("label2cat", "cat2idx", "cat2color")
    }
    assert read["label2cat"]["Glioblastoma"] == "Other"
    assert set(read["label2cat"].values()) == set(read["cat2idx"]) == set(read["cat2color"])
    assert read["cat2idx"]["T_NK"] == 0
    assert read["cat2idx"]["Other"] == 8
    assert read["cat2color"]["Melanocyte"] == [22, 169, 223]


def test_a_grouping_changes_columns_and_dictionaries(exported, tmp_path):
    source, _ = exported
    out = tmp_path / "out"
    sthelar.write(source, out, ExportSettings(grouping="cancer_normal"), 1)
    sthelar.validate(out)
    names = json.loads((out / "annot_dicts" / "cat2idx.json").read_text())
    assert names == {"cancer_cell": 0, "normal_cell": 1, "Other": 2}
    csr = scipy.sparse.load_npz(out / "masks_skin_s1.npz")
    masks = csr.toarray().reshape(-1, 32, 32, 4)
    # Even cells are cancer cells, odd ones are not; nucleus n belongs to cell (n - 1) % 100.
    for mask, patch in zip(masks, source.of_slide("skin_s1"), strict=True):
        cell = (patch.instances.astype(int) - 1) % 100
        np.testing.assert_array_equal(mask[..., 3], np.where(patch.instances, 1 + cell % 2, 0))


def test_the_validator_takes_the_export_and_refuses_masks_of_other_patches(exported, tmp_path):
    source, out = exported
    sthelar.validate(out)
    copy = tmp_path / "copy"
    sthelar.write(source, copy, ExportSettings(), 1)
    assert (copy / "masks_skin_s1.npz").read_bytes() == (out / "masks_skin_s1.npz").read_bytes()
    assert (copy / "images.zip").read_bytes() == (out / "images.zip").read_bytes()
    csr = scipy.sparse.load_npz(copy / "masks_skin_s1.npz")
    csr.data[1] = 10
    scipy.sparse.save_npz(copy / "masks_skin_s1.npz", csr)
    with pytest.raises(InputError, match="wrong data"):
        sthelar.validate(copy)
    scipy.sparse.save_npz(
        copy / "masks_skin_s1.npz", scipy.sparse.load_npz(out / "masks_skin_s1.npz")
    )
    np.save(copy / "patch_ids_skin_s1.npy", np.load(copy / "patch_ids_skin_s1.npy")[::-1])
    with pytest.raises(InputError, match=r"images\.zip"):
        sthelar.validate(copy)
