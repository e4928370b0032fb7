"""The patches of the format huggingface are those that were exported, with their splits and tissues."""

import pytest

from slides.read_patches import assert_patches_are_those_exported, assert_words_are_known
from sthelar_build.errors import InputError
from sthelar_build.io.patch_readers.huggingface import HuggingfacePatches


@pytest.fixture(scope="module")
def exported(exported_dataset):
    source, folder = exported_dataset
    return source, folder / "huggingface"


def test_every_patch_is_what_was_exported(exported):
    source, folder = exported
    assert_patches_are_those_exported(HuggingfacePatches(folder), source)


def test_splits_tissues_and_classes_are_known(exported):
    source, folder = exported
    assert_words_are_known(HuggingfacePatches(folder), source)


def test_a_folder_without_its_manifest_is_refused(exported, tmp_path):
    (tmp_path / "data").symlink_to(exported[1] / "data")
    with pytest.raises(InputError, match=r"manifest\.json"):
        HuggingfacePatches(tmp_path)
