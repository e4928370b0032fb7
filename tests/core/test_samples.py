"""Sample patches show every class once, from the rarest on, and do not overlap."""

import numpy as np

from sthelar_build.core.samples import evenly, sample_patches

X = np.array([0, 192, 384, 576, 768])
Y = np.zeros(5, dtype=int)
COUNTS = np.array([[9, 0, 1], [8, 0, 5], [0, 0, 4], [1, 0, 0], [7, 0, 0]])


def test_the_rarest_class_comes_first_and_overlapping_patches_are_passed_over():
    # Class 2 is rarer than class 0; its best patch, 1, overlaps 0 and 2.
    assert sample_patches(COUNTS, X, Y, 256, 2) == [(1, 2), (4, 0)]


def test_there_are_fewer_samples_where_no_more_patches_are_free():
    # After 1 and 4 only patch 3 is left, and it overlaps 4.
    assert sample_patches(COUNTS, X, Y, 256, 9) == [(1, 2), (4, 0)]
    assert sample_patches(COUNTS, X, Y, 192, 9) == [(1, 2), (0, 0), (2, 2), (4, 0), (3, 0)]


def test_a_slide_without_nuclei_has_no_samples():
    assert sample_patches(COUNTS * 0, X, Y, 256, 3) == []
    assert sample_patches(COUNTS[:0], X[:0], Y[:0], 256, 3) == []


def test_slides_are_spread_evenly():
    assert evenly(3, 12) == [0, 1, 2]
    assert evenly(31, 4) == [0, 10, 20, 30]
    assert evenly(0, 4) == []
