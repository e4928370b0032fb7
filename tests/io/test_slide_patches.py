"""Patches of one slide: neighbours share what is read, whoever asks, and nothing is mixed up."""

import numpy as np
import pandas as pd
import pytest

from slides import two_slides
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


def test_missing_metrics_are_none(files, table):
    with open_slide_patches(
        files.slide, files.tissue, two_slides.SIDE_PX, files.he, files.masks.parent
    ) as patches:
        patch, _ = next(patches.each(table, lambda patch: None, 1))
    assert patch.metrics == {"Dice": None, "Jaccard": 0.5, "bPQ": None}
