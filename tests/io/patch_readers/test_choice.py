"""A dataset, one of its formats, or neither: each is known by its files."""

import pytest

from sthelar_build.errors import InputError
from sthelar_build.io.patch_readers.cellvit import CellvitPatches
from sthelar_build.io.patch_readers.choice import open_patches
from sthelar_build.io.patch_readers.huggingface import HuggingfacePatches
from sthelar_build.io.patch_readers.pannuke import PannukePatches


@pytest.fixture(scope="module")
def dataset(exported_dataset):
    return exported_dataset[1]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("cellvit", CellvitPatches),
        ("pannuke", PannukePatches),
        ("huggingface", HuggingfacePatches),
    ],
)
def test_a_format_is_taken_by_name_or_by_its_folder(dataset, name, kind):
    assert type(open_patches(dataset, name)) is kind
    assert type(open_patches(dataset / name)) is kind


def test_of_several_formats_the_one_is_taken_that_is_read_fastest(dataset):
    assert type(open_patches(dataset)) is CellvitPatches


def test_a_folder_without_patches_and_an_unknown_format_are_refused(dataset, tmp_path):
    with pytest.raises(InputError, match=r"found none; name results/dataset/\{scale\}"):
        open_patches(tmp_path)
    with pytest.raises(InputError, match="found 'hest'"):
        open_patches(dataset, "hest")
