"""The fullest patches of all parts of a slide are taken."""

import numpy as np

from sthelar_build.core.spread_sample import fullest_patches

CONTENT = np.array([[9, 8, 0, 1], [7, 6, 2, 3], [0, 0, 0, 0], [1, 1, 5, 5]])


def test_each_part_of_the_slide_gives_its_fullest():
    # 11 patches hold something; squares of 1 x 1 for 3 or more of them, of 2 x 2 for 2.
    assert fullest_patches(CONTENT, 2).tolist() == [0, 14]


def test_where_every_patch_is_a_part_the_fullest_of_all_are_taken():
    assert fullest_patches(CONTENT, 4).tolist() == [0, 1, 4, 5]


def test_of_equals_the_first_and_never_an_empty_one():
    assert fullest_patches(CONTENT[3:], 1).tolist() == [2]
    assert fullest_patches(CONTENT, 100).tolist() == np.flatnonzero(CONTENT).tolist()
    assert fullest_patches(CONTENT[2:3], 5).size == 0
    assert fullest_patches(CONTENT, 0).size == 0
