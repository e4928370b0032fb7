"""PanNuke as numpy loads it: shapes, dtypes, instance ids per class, the background flag last."""

import json

import numpy as np
import pytest

from slides import two_slides
from sthelar_build.errors import InputError
from sthelar_build.exporters import pannuke
from sthelar_build.settings.export import ExportSettings


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pannuke")
    source = two_slides.source_of(folder / "slides")
    pannuke.write(source, folder / "out", ExportSettings(pannuke_folds=True), 1)
    return source, folder / "out"


def test_arrays_have_the_shapes_and_types_of_the_format(exported):
    source, out = exported
    n = (source.table["slide"] == "skin_s1").sum()
    with np.load(out / "skin_s1.npz") as arrays:
        assert {name: (arrays[name].shape, arrays[name].dtype.kind) for name in arrays} == {
            "images": ((n, 32, 32, 3), "u"),
            "masks": ((n, 32, 32, 10), "u"),
            "types": ((n,), "U"),
            "patch_ids": ((n,), "U"),
        }
        assert arrays["images"].dtype == np.uint8
        assert arrays["masks"].dtype == np.uint16
        assert set(arrays["types"]) == {"Skin"}


def test_every_patch_is_there_with_its_nuclei_in_the_channel_of_their_class(exported):
    source, out = exported
    with np.load(out / "breast_s0.npz") as arrays:
        images, masks, names = arrays["images"], arrays["masks"], arrays["patch_ids"]
    for row, patch in enumerate(source.of_slide("breast_s0")):
        assert names[row] == patch.name
        np.testing.assert_array_equal(images[row], patch.image)
        np.testing.assert_array_equal(masks[row, ..., 9], patch.instances == 0)
        assert masks[row, ..., :9].max(axis=(0, 1)).tolist() == patch.counts.tolist()
        for nucleus, index in zip(patch.nucleus_ids, patch.class_of, strict=True):
            ids = np.unique(masks[row, ..., index - 1][patch.instances == nucleus])
            assert len(ids) == 1
            assert ids[0] > 0


def test_folds_are_the_splits_and_can_be_mapped_into_memory(exported):
    source, out = exported
    for split in ("train", "valid", "test"):
        images, masks, types = (
            np.load(out / f"fold_{split}" / f"{name}.npy", mmap_mode="r")
            for name in ("images", "masks", "types")
        )
        rows = source.table[source.table["split"] == split]
        assert len(images) == len(masks) == len(rows)
        assert types.tolist() == rows["tissue"].tolist()


def test_a_second_export_is_equal_byte_for_byte(exported, tmp_path):
    source, out = exported
    pannuke.write(source, tmp_path / "again", ExportSettings(), 1)
    assert (tmp_path / "again" / "skin_s1.npz").read_bytes() == (out / "skin_s1.npz").read_bytes()
    assert not list((tmp_path / "again").glob("fold_*"))


def test_a_grouping_changes_the_channels_and_their_names(exported, tmp_path):
    source, _ = exported
    pannuke.write(source, tmp_path / "out", ExportSettings(grouping="grouped"), 1)
    pannuke.validate(tmp_path / "out")
    names = json.loads((tmp_path / "out" / "classes.json").read_text())
    assert names == {"Immune": 1, "Stromal": 2, "Epithelial": 3, "Melanocyte": 4, "Other": 5}
    with np.load(tmp_path / "out" / "skin_s1.npz") as arrays:
        masks = arrays["masks"]
    assert masks.shape[-1] == 6
    for mask, patch in zip(masks, source.of_slide("skin_s1"), strict=True):
        np.testing.assert_array_equal(mask[..., 2] > 0, patch.types == 6)


def test_the_validator_takes_the_export_and_refuses_a_wrong_background(exported, tmp_path):
    _, out = exported
    pannuke.validate(out)
    (tmp_path / "classes.json").write_text((out / "classes.json").read_text())
    with np.load(out / "skin_s1.npz") as arrays:
        wrong = dict(arrays)
    wrong["masks"][0, 0, 0, 9] ^= 1
    np.savez(tmp_path / "skin_s1.npz", **wrong)
    with pytest.raises(InputError, match="background"):
        pannuke.validate(tmp_path)
    np.savez(tmp_path / "skin_s1.npz", **wrong | {"types": wrong["types"][1:]})
    with pytest.raises(InputError, match="types: expected"):
        pannuke.validate(tmp_path)
