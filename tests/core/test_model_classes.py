"""A network's types are matched with the dataset's classes by name; what does not match is kept apart and told."""

import numpy as np

from sthelar_build.core.model_classes import match_classes
from sthelar_build.schema.groupings import GROUPINGS

PANNUKE = {
    "Background": 0, "Neoplastic": 1, "Inflammatory": 2, "Connective": 3, "Dead": 4, "Epithelial": 5,
}  # fmt: skip


def types_of(*names):
    return {name: index for index, name in enumerate(("Background", *names))}


def test_all_names_of_a_grouping_find_it():
    for name, grouping in GROUPINGS.items():
        found = match_classes(types_of(*grouping.names))
        assert found.grouping.name == name
        assert (found.strangers, found.unknown) == ((), ())
        assert found.code_of_type.tolist() == list(range(len(grouping.names) + 1))


def test_case_spaces_and_order_do_not_matter():
    found = match_classes({"melanocyte": 1, "STROMAL": 3, "Background": 0, "immune ": 2})
    assert found.grouping.name == "grouped"
    assert found.code_of_type.tolist() == [0, 4, 1, 2]
    assert found.unknown == ("Epithelial", "Other")


def test_dead_is_other_in_a_network_of_ours_only():
    ours = match_classes(types_of("Immune", "Stromal", "Epithelial", "Melanocyte", "Dead"))
    assert ours.code_of_type.tolist() == [0, 1, 2, 3, 4, 5]
    theirs = match_classes(PANNUKE)
    assert theirs.strangers == ("Neoplastic", "Inflammatory", "Connective", "Dead")


def test_types_that_are_no_class_get_codes_of_their_own():
    found = match_classes(types_of("T_NK", "Neutrophil", "B_Plasma"))
    assert found.grouping.name == "detailed"
    assert found.code_of_type.tolist() == [0, 1, 10, 2]
    assert found.names[10] == "Neutrophil"
    assert found.n_known == 2


def test_a_network_that_shares_no_name_has_the_detailed_classes_and_knows_none():
    found = match_classes(types_of("Round", "Long"))
    assert found.grouping.name == "detailed"
    assert found.n_known == 0
    assert found.names[-2:] == ["Round", "Long"]


def test_without_a_background_by_name_type_0_is_it():
    np.testing.assert_array_equal(match_classes({"class 0": 0, "T_NK": 1}).code_of_type, [0, 1])
