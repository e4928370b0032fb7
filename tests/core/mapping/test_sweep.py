"""A sweep adds up exponentials, and moves logits as torch's Adam does."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from slides.mapped_cells import start_of
from sthelar_build.core.mapping.chunks import ChunkedPlacement
from sthelar_build.core.mapping.objective import Objective, Problem, Weights


def two_by_two(weights=None):
    """Return two labels on two cells of one gene each."""
    return Problem(
        profiles=np.eye(2),
        counts=sp.csr_matrix([[2.0, 0], [0, 3]]),
        cell_density=np.array([0.4, 0.6]),
        label_density=np.array([0.5, 0.5]),
        weights=weights or Weights(),
    )


def test_sums_are_those_of_the_placement():
    start = np.log(np.array([[1, 1], [3, 1]], dtype=np.float32))
    found = ChunkedPlacement(two_by_two(Weights(entropy=1)), start).overlaps()
    placed = np.array([[0.25, 0.5], [0.75, 0.5]])
    np.testing.assert_allclose(found.counts, [[2 * 0.25, 2 * 0.5], [3 * 0.75, 3 * 0.5]], rtol=1e-6)
    np.testing.assert_allclose(found.gram, placed.T @ placed, rtol=1e-6)
    np.testing.assert_allclose(found.entropy, -(placed * np.log(placed)).sum(axis=0), rtol=1e-6)


def test_steps_are_those_of_torch():
    case = two_by_two()
    placement = ChunkedPlacement(case, start_of(case))
    theirs = torch.tensor(start_of(case))
    adam = torch.optim.Adam([theirs], lr=0.3)
    for number in range(1, 20):
        before = placement.state.mean[:, :2].copy()
        placement.step(Objective(case).at(placement)[1], number, 0.3)
        gradient = (placement.state.mean[:, :2] - np.float32(0.9) * before) / np.float32(0.1)
        theirs.grad = torch.tensor(gradient)
        adam.step()
        np.testing.assert_allclose(placement.state.logits[:, :2], theirs.numpy(), atol=2e-4)


@pytest.mark.parametrize("rows", [1, 31, 32, 33])
def test_a_last_block_that_is_not_full_counts_its_rows_only(rows):
    case = Problem(
        profiles=np.ones((1, 1)),
        counts=sp.csr_matrix(np.full((rows, 1), 2.0)),
        cell_density=np.full(rows, 1 / rows),
        label_density=np.ones(1),
    )
    found = ChunkedPlacement(case, np.zeros((rows, 1), dtype=np.float32)).overlaps()
    np.testing.assert_allclose(found.counts, [[2]], rtol=1e-6)
    np.testing.assert_allclose(found.gram, [[1 / rows]], rtol=1e-6)
