import pickle

import numpy as np
import pytest
import yaml
from numpy.testing import assert_array_equal

from slides.cellvit_export import CLASSES, TISSUES, patch, write_export
from sthelar_build.errors import InputError
from sthelar_build.io.cellvit_export import PatchZips, open_export


@pytest.fixture
def folder(tmp_path):
    return write_export(tmp_path / "cellvit")


def test_the_tables_say_what_is_there(folder):
    export = open_export(folder)
    assert (export.nuclei_types, export.tissue_types) == (CLASSES, TISSUES)
    assert export.names("valid") == ["slide_0_8.png", "slide_1_9.png"]
    assert [export.tissue(name) for name in export.names("valid")] == [0, 1]
    assert list(export.counts["train"].columns) == ["Round", "Tall"]
    assert export.weights["class_weights"]["Tall"] == 0.5
    assert export.um_per_px is None


def test_the_pixel_size_is_that_of_the_manifest(folder):
    (folder / "manifest.json").write_text(
        '{"slides": {"a": {"um_per_px": 0.25}, "b": {"um_per_px": 0.5}}}'
    )
    assert open_export(folder).um_per_px == 0.375


def test_a_patch_comes_as_it_was_written(folder):
    image, instances, types = PatchZips(folder).read("slide_1_3.png")
    expected = patch(3)
    for found, true in zip((image, instances, types), expected, strict=True):
        assert_array_equal(found, true)
    assert (image.dtype, instances.dtype, types.dtype) == (np.uint8, np.int32, np.uint8)


def test_a_worker_gets_the_folder_and_opens_the_files_itself(folder):
    zips = PatchZips(folder)
    zips.read("slide_0_0.png")
    copy = pickle.loads(pickle.dumps(zips))
    assert copy._archives == []
    assert_array_equal(copy.read("slide_0_0.png")[0], patch(0)[0])


def test_a_patch_that_is_not_there_is_named(folder):
    with pytest.raises(InputError, match=r"slide_9_9\.png: expected an image and its label"):
        PatchZips(folder).read("slide_9_9.png")


def test_a_missing_file_is_named(folder):
    (folder / "labels.zip").unlink()
    with pytest.raises(InputError, match=r"found no labels\.zip; export it again"):
        open_export(folder)


def test_classes_must_be_numbered_without_gaps(folder):
    path = folder / "dataset_config.yaml"
    path.write_text(yaml.safe_dump({"tissue_types": TISSUES, "nuclei_types": {"A": 0, "B": 2}}))
    with pytest.raises(InputError, match=r"numbered from 0 without gaps, found \[0, 2\]"):
        open_export(folder)


def test_text_that_is_no_table_is_an_error_of_the_user(folder):
    (folder / "weight_config.yaml").write_text("no table")
    with pytest.raises(InputError, match="expected a YAML table"):
        open_export(folder)


def test_a_split_of_unknown_patches_is_refused(folder):
    (folder / "cell_count_test.csv").write_text("Image,Round,Tall\nslide_7_7.png,1,1\n")
    with pytest.raises(InputError, match=r"expected patches of types\.csv, found slide_7_7\.png"):
        open_export(folder)
