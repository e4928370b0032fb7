"""A label with several states gives as many profiles; one without gives groups of like size."""

import numpy as np
import pytest
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from sthelar_build.adapters.metacells import MetacellRecipe, metacell_groups

RECIPE = MetacellRecipe(metacells_per_label=3, min_metacell_cells=5, seed=0)
STATES = np.array([[20, 20, 1, 1, 5, 1], [1, 1, 20, 20, 5, 1], [1, 20, 1, 20, 5, 1]], dtype=float)


def cells(states, seed=0):
    """Return counts of cells that are each in a state."""
    counts = np.random.default_rng(seed).poisson(STATES[states])
    return sp.csr_matrix(counts.astype(np.float32))


def partition(groups):
    return {frozenset(np.flatnonzero(groups == group).tolist()) for group in np.unique(groups)}


def test_the_states_of_a_label_are_its_groups():
    states = np.arange(60) % 3
    groups = metacell_groups(cells(states), np.zeros(60, dtype=int), RECIPE)
    assert partition(groups) == partition(states)


def test_depth_is_no_state():
    states = np.arange(60) % 2
    counts = cells(states)
    deep = sp.diags_array(np.where(np.arange(60) < 30, 1.0, 20.0)) @ counts
    recipe = MetacellRecipe(2, 5, 0)
    groups = metacell_groups(sp.csr_matrix(deep), np.zeros(60, dtype=int), recipe)
    assert partition(groups) == partition(states)


def test_groups_are_numbered_without_a_hole_and_each_has_one_label():
    labels = np.random.default_rng(1).integers(0, 4, 120)
    groups = metacell_groups(cells(np.arange(120) % 3), labels, RECIPE)
    assert np.unique(groups).tolist() == list(range(groups.max() + 1))
    of_groups = [set(labels[groups == group].tolist()) for group in range(groups.max() + 1)]
    assert all(len(found) == 1 for found in of_groups)
    assert [min(found) for found in of_groups] == sorted(min(found) for found in of_groups)


def test_no_group_is_too_small():
    # Two cells of a third state: too few for a group of their own.
    states = np.array([0] * 20 + [1] * 20 + [2] * 2)
    groups = metacell_groups(cells(states), np.zeros(42, dtype=int), RECIPE)
    assert np.bincount(groups).min() >= 5
    assert np.bincount(groups).sum() == 42


@pytest.mark.parametrize("n_cells", [1, 2, 9])
def test_a_label_of_few_cells_is_one_group(n_cells):
    groups = metacell_groups(cells(np.arange(n_cells) % 2), np.zeros(n_cells, dtype=int), RECIPE)
    assert groups.tolist() == [0] * n_cells


def test_a_rare_label_beside_a_common_one_keeps_its_profile():
    labels = np.array([0] * 60 + [1])
    groups = metacell_groups(cells(np.arange(61) % 3), labels, RECIPE)
    assert groups[60] == groups.max() == 3


def test_equal_cells_are_one_group():
    same = sp.csr_matrix(np.tile([3.0, 0, 1, 2], (30, 1)).astype(np.float32))
    assert metacell_groups(same, np.zeros(30, dtype=int), RECIPE).tolist() == [0] * 30


def test_cells_without_expression_do_no_harm():
    counts = cells(np.arange(60) % 3).tolil()
    counts[:3] = 0
    groups = metacell_groups(counts.tocsr(), np.zeros(60, dtype=int), RECIPE)
    assert np.bincount(groups).min() >= 5


def test_one_gene_is_too_few_to_tell_states():
    counts = sp.csr_matrix(np.arange(30, dtype=np.float32)[:, None])
    assert metacell_groups(counts, np.zeros(30, dtype=int), RECIPE).tolist() == [0] * 30


@pytest.mark.parametrize("threads", [1, 2])
def test_the_groups_do_not_depend_on_the_number_of_threads(threads):
    counts, labels = cells(np.zeros(200, dtype=int)), np.arange(200) % 2
    with threadpool_limits(threads):
        found = metacell_groups(counts, labels, RECIPE)
    with threadpool_limits(1):
        assert metacell_groups(counts, labels, RECIPE).tolist() == found.tolist()
    assert metacell_groups(counts, labels, RECIPE).tolist() == found.tolist()


def test_the_order_of_the_cells_does_not_matter_where_states_are_plain():
    states, order = np.arange(60) % 3, np.random.default_rng(2).permutation(60)
    counts, labels = cells(states), np.zeros(60, dtype=int)
    groups = metacell_groups(counts[order], labels, RECIPE)
    straight = np.empty_like(groups)
    straight[order] = groups
    assert partition(straight) == partition(metacell_groups(counts, labels, RECIPE))
