"""The patches of the format cellvit are those that were exported, with their splits and tissues."""

import pytest

from slides.read_patches import assert_patches_are_those_exported, assert_words_are_known
from sthelar_build.errors import InputError
from sthelar_build.io.patch_readers.cellvit import CellvitPatches


@pytest.fixture(scope="module")
def exported(exported_dataset):
    source, folder = exported_dataset
    return source, folder / "cellvit"


def test_every_patch_is_what_was_exported(exported):
    source, folder = exported
    assert_patches_are_those_exported(CellvitPatches(folder), source)


def test_splits_tissues_and_classes_are_known(exported):
    source, folder = exported
    assert_words_are_known(CellvitPatches(folder), source)


def test_a_file_that_is_gone_is_told(exported, tmp_path):
    with pytest.raises(InputError, match=r"found no types\.csv"):
        CellvitPatches(tmp_path)
