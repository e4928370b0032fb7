"""Patches of one slide: neighbours share what is read, whoever asks, and nothing is mixed up."""

import numpy as np
import pandas as pd
import pytest

from slides import two_slides
from sthelar_build.io import slide_patches
from sthelar_build.io.slide_patches import open_slide_patches
from sthelar_build.schema.labels import PATCH_CLASS_NAMES


@pytest.fixture
def files(tmp_path):
    return two_slides.write_slide(tmp_path / "skin_s1", "skin_s1")


@pytest.fixture
def table(files):
    rows = pd.read_parquet(files.patches).query("complete")
    classes = dict.fromkeys(PATCH_CLASS_NAMES, 0)
    return rows.assign(split="train", Dice=None, Jaccard=0.5, bPQ=None, **classes)


def read(files, table, threads=1):
    with open_slide_patches(
        files.slide, files.tissue, two_slides.SIDE_PX, files.he, files.masks.parent
    ) as patches:
        work = lambda patch: (patch.image.copy(), patch.dense.copy(), patch.types)  # noqa: E731
        return {patch.patch_id: made for patch, made in patches.each(table, work, threads)}


def test_a_patch_is_the_same_alone_and_among_its_neighbours(files, table):
    together = read(files, table)
    some = table.iloc[[0, 1, 7, len(table) - 1]]
    for _, row in some.iterrows():
        for one, other in zip(
            read(files, table[table.patch_id == row.patch_id])[row.patch_id],
            together[row.patch_id],
            strict=True,
        ):
            np.testing.assert_array_equal(one, other)


def test_several_threads_give_the_same_in_the_same_order(files, table):
    one, three = read(files, table), read(files, table, threads=3)
    assert list(one) == list(three) == table.patch_id.tolist()
    for patch_id, made in one.items():
        for mine, theirs in zip(made, three[patch_id], strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_a_stretch_ends_at_a_gap_at_the_row_and_where_other_maps_begin(table):
    first = table[table.grid_row == 0]
    assert len(first) > 8
    gap = first.drop(first.index[[1, 2]])
    runs = slide_patches._stretches(gap, two_slides.SIDE_PX, 3)
    columns = [[row.grid_column for row in run] for run in runs]
    assert columns[:3] == [[0], [3, 4, 5], [6, 7, 8]]
    runs = list(slide_patches._stretches(table, two_slides.SIDE_PX, 3))
    assert all(len({row.grid_row for row in run}) == 1 for run in runs)
    assert sum(map(len, runs)) == len(table)


def test_missing_metrics_are_none(files, table):
    with open_slide_patches(
        files.slide, files.tissue, two_slides.SIDE_PX, files.he, files.masks.parent
    ) as patches:
        patch, _ = next(patches.each(table, lambda patch: None, 1))
    assert patch.metrics == {"Dice": None, "Jaccard": 0.5, "bPQ": None}
