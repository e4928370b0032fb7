"""The table that every reader has: patches by slide and number, whatever the order on disk."""

import pandas as pd

from sthelar_build.io.patch_readers.reader import classes_in_order, patch_rows


def test_patches_come_by_slide_and_number_and_know_where_they_are_stored():
    table = patch_rows(
        ["b_10", "a_1_3", "b_9"], ["Skin", "Breast", "Skin"], ["train", None, "test"]
    )
    assert table["name"].tolist() == ["a_1_3", "b_9", "b_10"]
    assert table["slide"].tolist() == ["a_1", "b", "b"]
    assert table["patch_id"].tolist() == [3, 9, 10]
    assert table["place"].tolist() == [1, 2, 0]
    assert table["split"].tolist() == [None, "test", "train"]


def test_no_patches_are_a_table_without_rows():
    table = patch_rows([], [], [])
    assert isinstance(table, pd.DataFrame)
    assert len(table) == 0


def test_classes_come_by_number_with_the_background_first():
    assert classes_in_order({"b": 2, "a": 1}) == ["Background", "a", "b"]
    assert classes_in_order({"x": 1, "Background": 0}) == ["Background", "x"]
