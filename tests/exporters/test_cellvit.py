"""CellViT's folder, as its loader reads it: zips of one name per patch, counts per split, two yaml files."""

import io
import re
import zipfile

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import yaml

from slides import two_slides
from sthelar_build.core.csr_maps import csr_map
from sthelar_build.errors import InputError
from sthelar_build.exporters import cellvit
from sthelar_build.io.patch_classes import PatchClasses
from sthelar_build.io.zips import zip_writer
from sthelar_build.schema.labels import PATCH_CLASS_NAMES
from sthelar_build.settings.export import ExportSettings


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cellvit")
    source = two_slides.source_of(folder / "slides")
    cellvit.write(source, folder / "out", ExportSettings(), 2)
    return source, folder / "out"


def read_label(archive, name):
    with np.load(io.BytesIO(archive.read(f"{name}.npz"))) as parts:
        kinds = {key: parts[key].dtype for key in parts}
        maps = [
            scipy.sparse.csr_matrix(
                (parts[f"{m}_data"], parts[f"{m}_indices"], parts[f"{m}_indptr"]),
                shape=parts[f"{m}_shape"],
            ).toarray()
            for m in ("inst_map", "type_map")
        ]
    return kinds, maps


def test_labels_have_the_eight_keys_and_hold_dense_instances_and_their_classes(exported):
    source, out = exported
    with zipfile.ZipFile(out / "labels.zip") as archive:
        for patch in source:
            kinds, (instances, types) = read_label(archive, patch.name)
            assert len(kinds) == 8
            assert {kind for key, kind in kinds.items() if "shape" not in key} == {
                np.dtype(np.int32)
            }
            assert np.unique(instances).tolist() == list(range(len(patch.nucleus_ids) + 1))
            np.testing.assert_array_equal(instances > 0, patch.instances > 0)
            np.testing.assert_array_equal(types, patch.types)


def test_names_match_the_loader_and_images_go_with_labels(exported):
    source, out = exported
    with zipfile.ZipFile(out / "images.zip") as archive:
        names = archive.namelist()
    assert names == [f"{name}.png" for name in source.table["name"]]
    slides = {re.match(r"^([A-Za-z0-9_]+)_\d+\.png", name)[1] for name in names}
    assert slides == {"skin_s1", "breast_s0"}


def test_counts_per_split_are_the_rows_of_the_whole_table(exported):
    source, out = exported
    whole = pd.read_csv(out / "cell_count.csv")
    assert list(whole.columns) == ["Image", *PATCH_CLASS_NAMES]
    assert whole.set_index("Image").loc["skin_s1_16.png"].tolist() == next(
        patch.counts.tolist() for patch in source if patch.name == "skin_s1_16"
    )
    for split in ("train", "valid", "test"):
        rows = pd.read_csv(out / f"cell_count_{split}.csv")
        expected = whole[(source.table["split"] == split).to_numpy()]
        pd.testing.assert_frame_equal(rows, expected.reset_index(drop=True))
        assert len(rows)
    types = pd.read_csv(out / "types.csv")
    assert types.columns.tolist() == ["img", "type"]
    assert types["img"].tolist() == whole["Image"].tolist()


def test_configuration_numbers_classes_and_tissues_and_counts_training_patches(exported):
    source, out = exported
    dataset = yaml.safe_load((out / "dataset_config.yaml").read_text())
    weight = yaml.safe_load((out / "weight_config.yaml").read_text())
    assert dataset["tissue_types"] == {"Breast": 0, "Skin": 1}
    assert dataset["nuclei_types"]["Background"] == 0
    assert dataset["nuclei_types"]["Other"] == 9
    train = source.table[source.table["split"] == "train"]
    assert weight["tissue"] == train["tissue"].value_counts().to_dict()
    assert weight["cell"]["T_NK"] == (train["T_NK"] > 0).sum()
    assert weight["class_weights"]["Background"] == min(
        weight["class_weights"][name] for name in ("T_NK", "Epithelial")
    )
    assert sum(weight["class_weights"].values()) == pytest.approx(1, abs=1e-12)


def test_the_validator_takes_the_export_and_refuses_counts_that_the_labels_do_not_have(
    exported, tmp_path
):
    source, out = exported
    cellvit.validate(out)
    copy = tmp_path / "copy"
    cellvit.write(source, copy, ExportSettings(), 1)
    assert (copy / "labels.zip").read_bytes() == (out / "labels.zip").read_bytes()
    counts = pd.read_csv(copy / "cell_count.csv")
    counts.loc[0, "T_NK"] += 1
    counts.to_csv(copy / "cell_count.csv", index=False)
    with pytest.raises(InputError, match="other counts"):
        cellvit.validate(copy)
    counts.iloc[1:].to_csv(copy / "cell_count.csv", index=False)
    with pytest.raises(InputError, match="same patches"):
        cellvit.validate(copy)


@pytest.mark.parametrize(
    ("grouping", "names"),
    [
        ("grouped", ["Immune", "Stromal", "Epithelial", "Melanocyte", "Other"]),
        ("cancer_normal", ["cancer_cell", "normal_cell", "Other"]),
    ],
)
def test_a_grouping_changes_maps_counts_configuration_and_weights(
    exported, tmp_path, grouping, names
):
    source, _ = exported
    out = tmp_path / "out"
    cellvit.write(source, out, ExportSettings(grouping=grouping), 2)
    cellvit.validate(out)
    classes = PatchClasses(source, grouping)
    with zipfile.ZipFile(out / "labels.zip") as archive:
        for patch in source.of_split("valid"):
            np.testing.assert_array_equal(
                read_label(archive, patch.name)[1][1], classes.types(patch)
            )
    counts = pd.read_csv(out / "cell_count.csv")
    assert counts.columns.tolist() == ["Image", *names]
    assert counts[names].sum(axis=1).tolist() == source.table["n_nuclei"].tolist()
    dataset = yaml.safe_load((out / "dataset_config.yaml").read_text())
    assert list(dataset["nuclei_types"]) == ["Background", *names]
    weight = yaml.safe_load((out / "weight_config.yaml").read_text())["class_weights"]
    assert list(weight) == ["Background", *names]
    assert weight["Other"] == pytest.approx(weight["Background"] / 10)


def test_the_validator_refuses_a_patch_in_two_splits(exported, tmp_path):
    source, _ = exported
    cellvit.write(source, tmp_path / "copy", ExportSettings(), 1)
    (tmp_path / "copy" / "cell_count_test.csv").write_bytes(
        (tmp_path / "copy" / "cell_count_train.csv").read_bytes()
    )
    with pytest.raises(InputError, match="one split at most"):
        cellvit.validate(tmp_path / "copy")


def test_the_validator_refuses_ids_with_gaps(exported, tmp_path):
    source, _ = exported
    copy = tmp_path / "copy"
    cellvit.write(source, copy, ExportSettings(), 1)
    (copy / "labels.zip").unlink()
    with zip_writer(copy / "labels.zip") as labels:
        for patch in source:
            label = cellvit._label(csr_map(patch.dense * 2), csr_map(patch.types))
            labels.add(f"{patch.name}.npz", label, compress=True)
    with pytest.raises(InputError, match="not dense"):
        cellvit.validate(copy)
