"""The gallery shows patches from best to worst, with the nuclei of their masks outlined."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from slides import three_cells
from sthelar_build.io.images.he import open_he
from sthelar_build.io.masks import open_masks
from sthelar_build.io.pictures.patch_gallery import patch_gallery
from sthelar_build.io.tables import read_table
from sthelar_build.schema.labels import class_named
from sthelar_build.schema.tables import METRICS, PATCHES


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return three_cells.build(tmp_path_factory.mktemp("gallery"))


def gallery(files, *, measured=True):
    metrics = read_table(files["metrics_40x"], METRICS)
    metrics["Jaccard"] = metrics["Jaccard"] if measured else np.nan
    patches = read_table(files["patches_40x"], PATCHES).set_index("patch_id")
    with open_he(files["he"]) as image:
        return patch_gallery(metrics, patches, open_masks(files["masks_40x"].parent), image, 2)


def test_patches_come_by_jaccard_each_at_most_once(files):
    found = gallery(files)
    assert list(found) == ["best", "median", "worst"]
    shown = [patch for patches in found.values() for patch in patches]
    assert [p.jaccard for p in shown] == sorted((p.jaccard for p in shown), reverse=True)
    assert len({p.patch_id for p in shown}) == len(shown) == 6
    assert {p.n_nuclei for p in shown} == {2}


def test_without_a_measure_they_come_by_number_of_nuclei(files):
    found = gallery(files, measured=False)
    assert list(found) == ["most nuclei", "median number of nuclei", "fewest nuclei"]
    assert np.isnan([p.jaccard for patches in found.values() for p in patches]).all()


def test_a_nucleus_is_outlined_in_the_colour_of_its_class(files):
    picture = gallery(files)["best"][0].picture
    assert (picture.width_px, picture.height_px) == (128, 128)
    content = base64.b64decode(picture.uri.split(",")[1])
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)
    # Nucleus 1 covers rows and columns 20 to 39 of the patch; the picture is twice as large.
    edge = pixels[40:42, 50:70].mean(axis=(0, 1))
    assert np.abs(edge - class_named("T_NK").colour).max() < 60
