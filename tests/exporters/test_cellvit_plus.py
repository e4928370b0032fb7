"""CellViT++'s folder, read as its documentation says: stems in lists, pickled dictionaries beside PNGs."""

import numpy as np
import pytest
import yaml
from PIL import Image

from slides import two_slides
from sthelar_build.errors import InputError
from sthelar_build.exporters import cellvit_plus
from sthelar_build.settings.export import ExportSettings


def export(folder, threads=2, **settings):
    source = two_slides.source_of(folder / "slides")
    cellvit_plus.write(source, folder / "out", ExportSettings(**settings), threads)
    return source, folder / "out"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    return export(tmp_path_factory.mktemp("cellvit_plus"))


def read(out, folder, stem):
    """Return image, instances and types, as the loader of the format reads them."""
    label = np.load(out / folder / "labels" / f"{stem}.npy", allow_pickle=True)
    assert label.shape == ()
    maps = label.item()
    assert set(maps) == {"inst_map", "type_map"}
    return (
        np.asarray(Image.open(out / folder / "images" / f"{stem}.png")),
        maps["inst_map"],
        maps["type_map"],
    )


@pytest.mark.parametrize(
    ("split", "folder", "listed"),
    [("train", "train", "train.csv"), ("valid", "train", "val.csv"), ("test", "test", None)],
)
def test_every_patch_of_a_split_is_read_back_where_the_loader_looks(
    exported, split, folder, listed
):
    source, out = exported
    patches = {patch.name: patch for patch in source.of_split(split)}
    stems = (
        (out / "splits" / "fold_0" / listed).read_text().splitlines()
        if listed
        else [path.stem for path in (out / folder / "images").iterdir()]
    )
    assert sorted(stems) == sorted(patches)
    assert stems
    for patch in source.of_split(split):
        image, instances, types = read(out, folder, patch.name)
        np.testing.assert_array_equal(image, patch.image)
        np.testing.assert_array_equal(instances, patch.dense)
        np.testing.assert_array_equal(types, patch.types)
        assert instances.dtype == types.dtype == np.int32


def test_guards_are_in_no_folder(exported):
    source, out = exported
    n = len(list(out.glob("*/images/*.png")))
    assert n == source.table["split"].notna().sum() < len(source)


def test_the_label_map_numbers_classes_from_one(exported):
    _, out = exported
    labels = yaml.safe_load((out / "label_map.yaml").read_text())["labels"]
    assert labels[1] == "T_NK"
    assert labels[9] == "Other"
    assert list(labels) == list(range(1, 10))


def test_a_grouping_renames_and_renumbers_classes(tmp_path):
    source, out = export(tmp_path, grouping="grouped")
    labels = yaml.safe_load((out / "label_map.yaml").read_text())["labels"]
    assert list(labels.values()) == ["Immune", "Stromal", "Epithelial", "Melanocyte", "Other"]
    patch = next(source.of_split("test"))
    new = np.array([0, 1, 1, 1, 2, 2, 3, 5, 4, 5])
    np.testing.assert_array_equal(read(out, "test", patch.name)[2], new[patch.types])
    cellvit_plus.validate(out)


def test_weights_are_of_the_patches_to_train(exported):
    source, out = exported
    weight = yaml.safe_load((out / "weight_config.yaml").read_text())
    train = source.table[source.table["split"] == "train"]
    assert weight["tissue"] == train["tissue"].value_counts().to_dict()
    assert sum(weight["class_weights"].values()) == pytest.approx(1, abs=1e-12)


def test_the_validator_takes_the_export_and_refuses_what_the_loader_would(tmp_path):
    source, out = export(tmp_path, threads=1)
    cellvit_plus.validate(out)
    patch = next(source.of_split("test"))
    label = out / "test" / "labels" / f"{patch.name}.npy"
    np.save(label, {"inst_map": patch.dense, "type_map": patch.types * 10})
    with pytest.raises(InputError, match=r"label_map\.yaml lacks"):
        cellvit_plus.validate(out)
    np.save(label, {"inst_map": patch.dense * 2, "type_map": patch.types})
    with pytest.raises(InputError, match="not dense"):
        cellvit_plus.validate(out)
    label.unlink()
    with pytest.raises(InputError, match="one label for every image"):
        cellvit_plus.validate(out)


def test_the_validator_refuses_a_stem_in_both_lists(tmp_path):
    _, out = export(tmp_path)
    fold = out / "splits" / "fold_0"
    (fold / "val.csv").write_text((fold / "train.csv").read_text())
    with pytest.raises(InputError, match="once in"):
        cellvit_plus.validate(out)


def test_a_side_that_the_model_does_not_take_is_refused(tmp_path):
    source = two_slides.source_of(tmp_path / "slides")
    source.side_px = 40
    with pytest.raises(InputError, match="multiple of 32 px, found 40"):
        cellvit_plus.write(source, tmp_path / "out", ExportSettings(), 1)
