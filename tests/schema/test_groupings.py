"""Groupings: every class goes somewhere, Other is last, indices have no gap."""

import pytest

from sthelar_build.schema.groupings import GROUPINGS
from sthelar_build.schema.labels import CLASS_NAMES, GROUPED_CLASSES, PATCH_CLASS_NAMES


def test_detailed_has_the_published_classes_with_their_indices():
    detailed = GROUPINGS["detailed"]
    assert detailed.names == list(PATCH_CLASS_NAMES)
    assert detailed.index_of("Glioblastoma") == detailed.other == 9


def test_grouped_is_the_five_class_grouping_in_published_order_and_colours():
    grouped = GROUPINGS["grouped"]
    assert tuple(grouped.names) == GROUPED_CLASSES
    assert [grouped.index_of(name) for name in CLASS_NAMES] == [1, 1, 1, 2, 2, 3, 5, 4, 5, 5]
    assert grouped.classes[0].colour == (255, 143, 15)


def test_cells_without_an_answer_are_other_in_cancer_normal():
    grouping = GROUPINGS["cancer_normal"]
    words = ("cancer_cell", "normal_cell", "less10", None)
    assert [grouping.index_of(word) for word in words] == [1, 2, 3, 3]
    assert grouping.basis == "label3"


@pytest.mark.parametrize("grouping", GROUPINGS.values())
def test_indices_run_from_one_without_a_gap_and_end_with_other(grouping):
    assert [one.index for one in grouping.classes] == list(range(1, len(grouping.classes) + 1))
    assert grouping.names[-1] == "Other"
    assert set(grouping.class_of_word.values()) <= set(grouping.names)
