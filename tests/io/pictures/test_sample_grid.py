"""The picture of samples: every patch at full resolution under the name of its slide, and a legend."""

import numpy as np
import pytest
from PIL import Image

from slides import three_cells
from sthelar_build.io.images.he import open_he
from sthelar_build.io.masks import open_masks
from sthelar_build.io.pictures import sample_grid
from sthelar_build.io.pictures.sample_grid import SampleRow, sample_picture, write_sample_grid
from sthelar_build.io.tables import read_table
from sthelar_build.schema.labels import PATCH_CLASSES, class_named
from sthelar_build.schema.tables import PATCHES


def grey(value, side=40):
    return np.full((side, side, 3), value, np.uint8)


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_every_patch_is_in_the_picture_and_the_legend_has_every_colour(tmp_path):
    rows = [
        SampleRow("s1, Skin", [("0: 3 T_NK", grey(11)), ("4: 1 Other", grey(22))]),
        SampleRow("s2, Breast", [("1: 2 T_NK", grey(33))]),
    ]
    write_sample_grid(tmp_path / "samples.png", rows)
    sheet = pixels(tmp_path / "samples.png")
    for value in (11, 22, 33):
        assert (sheet == value).all(axis=2).sum() == 40 * 40
    for cell_class in PATCH_CLASSES:
        assert (sheet == cell_class.colour).all(axis=2).sum() > 50
    top_of = [np.argmax((sheet == value).all(axis=(2)).any(axis=1)) for value in (11, 22, 33)]
    assert top_of[0] == top_of[1] < top_of[2]


def test_the_same_samples_give_the_same_bytes_and_no_samples_a_legend(tmp_path):
    for name in ("one.png", "two.png"):
        write_sample_grid(tmp_path / name, [SampleRow("s", [("0", grey(9))])])
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    write_sample_grid(tmp_path / "none.png", [])
    assert pixels(tmp_path / "none.png").shape[0] < 150


@pytest.mark.parametrize("shown_px", [256, 44])
def test_a_nucleus_is_outlined_and_a_large_patch_shows_its_middle(tmp_path, monkeypatch, shown_px):
    files = three_cells.build(tmp_path / "slide")
    monkeypatch.setattr(sample_grid, "_SHOWN_PX", shown_px)
    grid = read_table(files["patches_40x"], PATCHES).set_index("patch_id")
    with open_he(files["he"]) as image:
        masks = open_masks(files["masks_40x"].parent)
        shown = sample_picture(grid.loc[[0]].iloc[0], 0, masks, image)
    # Nucleus 1 covers rows and columns 20 to 39 of the patch of 64 px.
    start = max(0, (64 - shown_px) // 2)
    assert shown.shape == (min(64, shown_px),) * 2 + (3,)
    np.testing.assert_array_equal(shown[20 - start, 30 - start], class_named("T_NK").colour)
