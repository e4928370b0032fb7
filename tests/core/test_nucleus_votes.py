"""Pixels of a nucleus vote for its type, over all patches that show it."""

import numpy as np

from sthelar_build.core.nucleus_votes import SlideVotes, type_votes


def test_pixels_of_every_instance_are_counted_by_type():
    dense = np.array([[1, 1, 0], [2, 1, 2]], dtype=np.int32)
    types = np.array([[3, 0, 3], [1, 3, 1]], dtype=np.uint8)
    assert type_votes(dense, types, 2, 4).tolist() == [[1, 0, 0, 2], [0, 2, 0, 0]]


def test_an_instance_without_pixels_has_no_votes():
    dense = np.zeros((2, 2), dtype=np.int32)
    assert type_votes(dense, dense, 1, 2).tolist() == [[0, 0]]


def test_patches_add_up_and_the_highest_rank_stays():
    votes = SlideVotes(n_nuclei=3, n_types=2)
    votes.add(np.array([1, 3], np.uint32), np.array([[2, 1], [0, 5]]), np.array([3, 4]), 3)
    votes.add(np.array([3], np.uint32), np.array([[4, 0]]), np.array([0]), 1)
    assert votes.shown.tolist() == [1, 3]
    assert votes.votes.tolist() == [[0, 0], [2, 1], [0, 0], [4, 5]]
    assert votes.seen_px.tolist() == [0, 3, 0, 4]
    assert votes.n_patches.tolist() == [0, 1, 0, 2]
    assert votes.rank.tolist() == [-1, 3, -1, 3]
