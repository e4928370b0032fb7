"""Stained nuclei of a slide: one threshold from tissue, and every patch as it is found alone."""

import numpy as np
import pandas as pd
import pytest
import tifffile

from sthelar_build.core.haematoxylin import NucleusRule, find_nuclei
from sthelar_build.core.stain import haematoxylin
from sthelar_build.core.tiling import patch_grid, patch_table
from sthelar_build.io.he_blocks import blocks
from sthelar_build.io.images.he import open_he
from sthelar_build.io.stained_nuclei import StainedNuclei, slide_threshold
from sthelar_build.io.stopwatch import Stopwatch
from sthelar_build.settings.segment import SegmentSettings

RULE = SegmentSettings().part(NucleusRule)
SIDE_PX, UM_PER_PX = 64, 0.25


@pytest.fixture
def slide(tmp_path):
    """Three violet discs on pink, and a right half of bare glass."""
    y, x = np.mgrid[:128, :256]
    pixels = np.where((x < 128)[..., None], (230, 150, 190), 245)
    for left, top in ((30, 30), (90, 40), (60, 100)):
        pixels[(x - left) ** 2 + (y - top) ** 2 < 14**2] = (90, 60, 140)
    tifffile.imwrite(tmp_path / "he.tif", pixels.astype(np.uint8), photometric="rgb")
    table = patch_table(patch_grid(256, 128, 1.0, SIDE_PX, 0))
    table = table.assign(tissue_fraction=np.where(table.x_px < 128, 1.0, 0.0))
    with open_he(tmp_path / "he.tif") as image:
        yield image, table[table.complete], pixels.astype(np.uint8)


def test_the_threshold_is_that_of_the_tissue_and_lies_between_the_colours(slide):
    image, table, pixels = slide
    threshold = slide_threshold(image, table, SIDE_PX, UM_PER_PX, RULE, 64)
    stain = haematoxylin(pixels)
    assert stain[5, 5] < threshold < stain[30, 30]
    tissue = table[table.tissue_fraction > 0]
    assert threshold == slide_threshold(image, tissue, SIDE_PX, UM_PER_PX, RULE, 64)


def test_no_patches_have_no_threshold(slide):
    image, table, _ = slide
    assert slide_threshold(image, table.iloc[:0], SIDE_PX, UM_PER_PX, RULE, 64) == 0


def test_every_patch_of_a_block_is_found_as_alone(slide):
    image, table, pixels = slide
    finder = StainedNuclei(image, SIDE_PX, UM_PER_PX, 0.3, RULE, Stopwatch())
    found = [patch for block in blocks(table, SIDE_PX, 3) for patch in finder.find(block)]
    assert [patch.patch_id for patch in found] == table.patch_id.tolist()
    rows = pd.DataFrame(table).itertuples()
    for patch, row in zip(found, rows, strict=True):
        alone = pixels[row.y_px : row.y_px + SIDE_PX, row.x_px : row.x_px + SIDE_PX]
        expected = find_nuclei(haematoxylin(alone), UM_PER_PX, 0.3, RULE)
        np.testing.assert_array_equal(patch.instances, expected)
        assert patch.nuclei.ids.tolist() == list(range(1, expected.max() + 1))
    assert sum(len(patch.nuclei.ids) for patch in found) >= 3
