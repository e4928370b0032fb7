"""The patches of the format pannuke are those that were exported, with their splits and tissues."""

import numpy as np
import pytest

from slides.read_patches import assert_patches_are_those_exported, assert_words_are_known
from sthelar_build.errors import InputError
from sthelar_build.io.patch_readers.pannuke import PannukePatches


@pytest.fixture(scope="module")
def exported(exported_dataset):
    source, folder = exported_dataset
    return source, folder / "pannuke"


def test_every_patch_is_what_was_exported(exported):
    source, folder = exported
    assert_patches_are_those_exported(PannukePatches(folder), source)


def test_splits_tissues_and_classes_are_known(exported):
    source, folder = exported
    assert_words_are_known(PannukePatches(folder), source)


def test_without_the_table_of_splits_no_patch_is_in_any(exported, tmp_path):
    (tmp_path / "pannuke").symlink_to(exported[1])
    assert not PannukePatches(tmp_path / "pannuke").patches["split"].notna().any()


def test_an_npz_of_something_else_is_refused(exported, tmp_path):
    (tmp_path / "classes.json").write_text('{"T_NK": 1}')
    np.savez(tmp_path / "slide.npz", x=np.zeros((2, 3)))
    with pytest.raises(InputError, match="found no images, masks, patch_ids, types"):
        PannukePatches(tmp_path)
