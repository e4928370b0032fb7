"""What the parts of a mixed cluster start from, and where their molecules lead."""

import numpy as np
import scipy.sparse as sp

from sthelar_build.core.split_parts import parts_by_molecules, seeds_of_rivals, seeds_of_votes


def test_cells_start_with_their_class_and_the_commonest_is_0():
    named = np.array([5, 5, 5, 2, 2, 7, -1])
    assert seeds_of_votes(named, 0.9, 2).tolist() == [0, 0, 0, 1, 1, 0, 0]


def test_a_pure_cluster_has_no_seeds():
    assert seeds_of_votes(np.array([5] * 9 + [2]), 0.9, 1) is None
    assert seeds_of_votes(np.array([5] * 8 + [2, 2]), 0.9, 2) is not None


def test_a_class_with_too_few_votes_is_not_heard():
    assert seeds_of_votes(np.array([5, 5, 5, 2, 7]), 0.9, 2) is None


def test_cells_without_a_name_do_not_vote():
    assert seeds_of_votes(np.array([-1, -1, -1]), 0.9, 1) is None
    assert seeds_of_votes(np.array([5, -1, -1]), 0.9, 1) is None


def test_rivals_share_the_cells_by_the_markers_that_they_show():
    shown = np.array([[0.0, 3, 1], [0, 1, 3], [0, 2, 2], [0, 1, 2]])
    assert seeds_of_rivals(shown, (1, 2), 2).tolist() == [0, 1, 0, 1]
    assert seeds_of_rivals(shown, (1, 2), 3) is None


def test_molecules_correct_the_seeds():
    counts = sp.csr_matrix([[20.0, 1.0]] * 5 + [[1.0, 20.0]] * 4)
    seeds = np.array([0, 0, 0, 0, 1, 1, 1, 1, 0])
    assert parts_by_molecules(counts, seeds, 0.5).tolist() == [0] * 5 + [1] * 4


def test_one_population_gathers_in_one_part():
    counts = sp.csr_matrix([[10.0, 10.0]] * 9)
    assert parts_by_molecules(counts, np.array([0] * 6 + [1] * 3), 0.5).tolist() == [0] * 9
