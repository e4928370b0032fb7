"""The cells' own terms, where the answer can be seen."""

import numpy as np
import pytest
import scipy.sparse as sp

from sthelar_build.core.mapping.chunks import ChunkedPlacement
from sthelar_build.core.mapping.objective import Problem, Weights


def sums(weights):
    """Return the sums for one label at (0.25, 0.75) and one at (0.5, 0.5) of two cells."""
    case = Problem(
        profiles=np.eye(2),
        counts=sp.csr_matrix([[2.0, 0], [0, 3]]),
        cell_density=np.array([0.4, 0.6]),
        label_density=np.array([0.5, 0.5]),
        weights=weights,
    )
    return ChunkedPlacement(case, np.log(np.array([[1, 1], [3, 1]], dtype=np.float32))).cell_sums()


def test_the_density_is_held_against_the_rna_that_is_placed():
    found = sums(Weights(density=2))
    assert found.log_density == pytest.approx(0.4 * np.log(0.375) + 0.6 * np.log(0.625), rel=1e-6)
    ratio = 2 * np.array([0.4 / 0.375, 0.6 / 0.625])
    np.testing.assert_allclose(found.slopes, -0.5 * ratio @ [[0.25, 0.5], [0.75, 0.5]], rtol=1e-6)


def test_cosines_of_cells_are_those_of_their_predicted_counts():
    found = sums(Weights(cells=1, density=0))
    expected = 0.25 / np.hypot(0.25, 0.5) + 0.5 / np.hypot(0.75, 0.5)
    assert found.cosines == pytest.approx(expected, rel=1e-6)
    assert found.log_density == 0
    # A cosine does not change with the length of a row: what one label gains there the other loses.
    assert found.slopes.sum() == pytest.approx(0, abs=1e-7)


def test_without_a_weight_nothing_is_computed():
    found = sums(Weights(cells=0, density=0))
    assert (found.cosines, found.log_density, found.slopes.tolist()) == (0, 0, [0, 0])
