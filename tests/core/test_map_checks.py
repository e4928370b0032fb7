"""Maps of patches that readers can use, and those that they cannot."""

import numpy as np

from sthelar_build.core.map_checks import map_flaw, nuclei_per_class

INSTANCES = np.array([[0, 1, 1], [2, 2, 0]])
TYPES = np.array([[0, 3, 3], [1, 1, 0]])


def test_maps_that_agree_have_no_flaw():
    assert map_flaw((2, 3, 3), INSTANCES, TYPES) is None
    empty = np.zeros((2, 3), dtype=int)
    assert map_flaw((2, 3, 3), empty, empty) is None


def test_an_image_of_another_size_is_a_flaw():
    assert map_flaw((3, 3, 3), INSTANCES, TYPES) == "an image (3, 3, 3) and maps (2, 3), (2, 3)"


def test_a_pixel_with_a_class_but_no_nucleus_is_a_flaw():
    wrong = TYPES.copy()
    wrong[0, 0] = 1
    assert "without a nucleus" in map_flaw((2, 3, 3), INSTANCES, wrong)


def test_a_gap_in_the_numbers_and_a_nucleus_of_two_classes_are_flaws():
    assert "not dense" in map_flaw((2, 3, 3), INSTANCES * 2, TYPES)
    wrong = TYPES.copy()
    wrong[0, 1] = 2
    assert "two classes" in map_flaw((2, 3, 3), INSTANCES, wrong)


def test_nuclei_are_counted_once_each_by_class():
    assert nuclei_per_class(INSTANCES, TYPES, 3).tolist() == [1, 0, 1]
    assert nuclei_per_class(INSTANCES, TYPES, 2).tolist() == [1, 0, 1]
    assert nuclei_per_class(np.zeros((2, 2), int), np.zeros((2, 2), int), 2).tolist() == [0, 0]
