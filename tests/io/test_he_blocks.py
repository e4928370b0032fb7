"""Neighbours share a window of the H&E, and are read in the blocks in which they are kept."""

import numpy as np
import pandas as pd
import pytest

from slides import two_slides
from sthelar_build.io.he_blocks import area_of, blocks, neighbours, window_under
from sthelar_build.io.images.he import open_he


@pytest.fixture
def files(tmp_path):
    return two_slides.write_slide(tmp_path / "skin_s1", "skin_s1")


@pytest.fixture
def table(files):
    return pd.read_parquet(files.patches).query("complete")


def columns(run):
    return [row.grid_column for row in run]


def test_a_run_ends_at_a_gap_at_the_row_and_where_other_maps_begin(table):
    first = table[table.grid_row == 0]
    assert len(first) > 8
    gap = first.drop(first.index[[1, 2]])
    runs = neighbours(gap, two_slides.SIDE_PX, 3)
    assert [columns(run) for run in runs][:3] == [[0], [3, 4, 5], [6, 7, 8]]
    runs = list(neighbours(table, two_slides.SIDE_PX, 3))
    assert all(len({row.grid_row for row in run}) == 1 for run in runs)
    assert sum(map(len, runs)) == len(table)


def test_a_block_holds_all_runs_that_are_kept_together(table):
    gap = table.drop(table.index[[1, 2, 3]])
    first, second, *_ = blocks(gap, two_slides.SIDE_PX, 6)
    assert (first.grid_row, first.chunk, first.runs) == (0, 0, first.runs)
    assert [columns(run) for run in first.runs] == [[0], [4, 5]]
    assert columns(first.rows) == [0, 4, 5]
    assert (second.chunk, columns(second.rows)) == (1, [6, 7, 8, 9, 10, 11])


def test_the_images_of_a_block_are_those_of_its_patches_alone(files, table):
    with open_he(files.he) as he:
        for block in blocks(table.drop(table.index[[1, 2]]), two_slides.SIDE_PX, 6):
            images = block.images(he, two_slides.SIDE_PX)
            for image, row in zip(images, block.rows, strict=True):
                alone = area_of(window_under(he, [row]), row, two_slides.SIDE_PX)
                np.testing.assert_array_equal(image, alone)
