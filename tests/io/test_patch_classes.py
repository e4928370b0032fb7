"""The classes of nuclei in a stream, by grouping: maps, counts and tables agree."""

import numpy as np
import pytest

from slides import two_slides
from sthelar_build.io.patch_classes import PatchClasses
from sthelar_build.io.tables import read_table, write_table
from sthelar_build.schema.labels import PATCH_CLASS_NAMES
from sthelar_build.schema.tables import LABELS


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return two_slides.source_of(tmp_path_factory.mktemp("classes") / "slides")


def test_detailed_is_what_the_patches_say(source):
    classes = PatchClasses(source, "detailed")
    for patch in source:
        np.testing.assert_array_equal(classes.of(patch), patch.class_of)
        np.testing.assert_array_equal(classes.types(patch), patch.types)
    table = source.table[list(PATCH_CLASS_NAMES)]
    np.testing.assert_array_equal(classes.table, table)


def test_grouped_joins_classes(source):
    classes = PatchClasses(source, "grouped")
    for patch in source:
        new = {1: 1, 6: 3, 9: 5}
        assert classes.of(patch).tolist() == [new[index] for index in patch.class_of]


@pytest.mark.parametrize("grouping", ["detailed", "grouped", "cancer_normal"])
def test_counts_of_a_patch_are_its_row_of_the_table_and_its_map(source, grouping):
    classes = PatchClasses(source, grouping)
    assert len(classes.table) == len(source)
    for patch, row in zip(source, classes.table.to_numpy(), strict=True):
        assert classes.counts(patch).tolist() == row.tolist()
        types = classes.types(patch)
        drawn = [len(np.unique(patch.dense[types == k])) for k in range(1, len(row) + 1)]
        assert drawn == row.tolist()


def test_cancer_or_normal_is_that_of_the_cell_and_null_is_other(tmp_path):
    source = two_slides.source_of(tmp_path / "slides")
    path = source.files("skin_s1").labels
    labels = read_table(path, LABELS)
    labels.loc[4, "label3"], labels.loc[5, "label3"] = None, "less10"
    write_table(path, labels, LABELS, two_slides.SOURCE)
    classes = PatchClasses(source, "cancer_normal")
    # Nucleus n belongs to cell (n - 1) % 100; even cells are cancer, odd ones normal, cells 4 and 5 untold.
    for patch in source.of_slide("skin_s1"):
        cell = (patch.nucleus_ids.astype(int) - 1) % 100
        expected = np.where(np.isin(cell, (4, 5)), 3, 1 + cell % 2)
        np.testing.assert_array_equal(classes.of(patch), expected)
