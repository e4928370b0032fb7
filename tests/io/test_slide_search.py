"""Beside a bundle only what is meant beyond doubt is taken."""

import shutil

import numpy as np
import pytest

from slides.five_cells import copy_of_bundle
from slides.raw_slide import write_he
from sthelar_build.errors import InputError
from sthelar_build.io.ome_tiff import write_ome_tiff
from sthelar_build.io.slide_search import find_alignment, find_bundle, find_he

MATRIX = "2,0,0\n0,2,0\n0,0,1\n"
KEYPOINTS = "fixedX,fixedY,alignmentX,alignmentY\n0,0,0,0\n9,0,4,0\n0,9,0,4\n"


@pytest.fixture(scope="module")
def he(tmp_path_factory):
    path = tmp_path_factory.mktemp("he") / "he.ome.tif"
    write_he(path)
    return path


def test_the_bundle_is_the_folder_or_the_only_one_below(tmp_path):
    copy_of_bundle(tmp_path / "slide" / "outs", "3.0.0")
    assert find_bundle(tmp_path / "slide" / "outs").name == "outs"
    assert find_bundle(tmp_path).name == "outs"
    shutil.copytree(tmp_path / "slide" / "outs", tmp_path / "again")
    with pytest.raises(InputError, match=r"found again, outs; give one of them"):
        find_bundle(tmp_path)


def test_a_folder_without_a_bundle_a_file_and_nothing_are_refused(tmp_path):
    (tmp_path / "file").touch()
    for name, word in (("", "found none"), ("file", "found a file"), ("absent", "found nothing")):
        with pytest.raises(InputError, match=word):
            find_bundle(tmp_path / name)


def test_the_image_that_is_called_so_is_the_he(tmp_path, he):
    shutil.copy(he, tmp_path / "S1_HE.ome.tif")
    shutil.copy(he, tmp_path / "S1_photo.tif")
    assert find_he([tmp_path], "").path.name == "S1_HE.ome.tif"


def test_without_such_a_name_the_only_rgb_image_is(tmp_path, he):
    shutil.copy(he, tmp_path / "scan.tif")
    write_ome_tiff(
        tmp_path / "stain.tif", np.ones((64, 64), np.uint16), 0.5, channel_names=["X"], tile_px=64
    )
    shutil.copy(he, tmp_path / "S1_if_image.tif")
    found = find_he([tmp_path], "")
    assert found.path.name == "scan.tif"
    assert "stain.tif" in found.refused[0]


def test_of_several_that_of_the_name_of_the_bundle_is_taken_else_none(tmp_path, he):
    shutil.copy(he, tmp_path / "S1_he_image.tif")
    shutil.copy(he, tmp_path / "S2_he_image.tif")
    found = find_he([tmp_path], "S1_outs")
    assert (found.path.name, [path.name for path in found.others]) == (
        "S1_he_image.tif",
        ["S2_he_image.tif"],
    )
    assert find_he([tmp_path], "outs").path is None


def test_the_nearest_place_that_has_one_counts(tmp_path, he):
    (tmp_path / "near").mkdir()
    shutil.copy(he, tmp_path / "he.tif")
    assert find_he([tmp_path / "near", tmp_path], "").path == tmp_path / "he.tif"
    shutil.copy(he, tmp_path / "near/he.tif")
    assert find_he([tmp_path / "near", tmp_path], "").path == tmp_path / "near/he.tif"


def test_a_matrix_goes_before_keypoints_and_what_is_no_alignment_is_left_alone(tmp_path):
    (tmp_path / "S1_he_imagealignment.csv").write_text(MATRIX)
    (tmp_path / "S1_he_keypoints.csv").write_text(KEYPOINTS)
    (tmp_path / "S1_if_imagealignment.csv").write_text(MATRIX)
    (tmp_path / "other_alignment.csv").write_text("a,b\n")
    found = find_alignment([tmp_path], "")
    assert found.path.name == "S1_he_imagealignment.csv"
    assert [path.name for path in found.others] == ["S1_he_keypoints.csv"]


def test_two_matrices_are_no_alignment(tmp_path):
    for name in ("a_alignment.csv", "b_alignment.csv"):
        (tmp_path / name).write_text(MATRIX)
    found = find_alignment([tmp_path], "")
    assert (found.path, len(found.others)) == (None, 2)
    assert find_alignment([tmp_path], "b").path.name == "b_alignment.csv"
    assert find_alignment([], "").path is None
