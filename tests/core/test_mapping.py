"""The sparse Tangram: its gradient is that of its loss, and it finds the cells of a label."""

import numpy as np
import pytest
import scipy.sparse as sp

from sthelar_build.core.mapping import Problem, _Descent, _softmax, loss, place_labels


def problem(seed: int = 0) -> Problem:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(1.5, (12, 6)) + np.eye(12, 6)
    return Problem(
        profiles=rng.gamma(1, 1, (3, 6)) + 0.1,
        counts=sp.csr_matrix(counts),
        cell_density=counts.sum(1) / counts.sum(),
        label_density=np.array([0.2, 0.3, 0.5]),
        density_weight=0.7,
    )


def test_the_gradient_is_the_slope_of_the_loss():
    case = problem()
    logits = np.random.default_rng(1).standard_normal((12, 3))
    gradient = _Descent(case).logit_gradient(_softmax(logits.astype(np.float32)))
    step = 1e-4
    for cell, label in [(0, 0), (5, 1), (11, 2)]:
        up, down = logits.copy(), logits.copy()
        up[cell, label] += step
        down[cell, label] -= step
        slope = (loss(case, _softmax(up)) - loss(case, _softmax(down))) / (2 * step)
        assert gradient[cell, label] == pytest.approx(slope, abs=2e-6)


def test_the_loss_falls_and_columns_sum_to_one():
    case = problem()
    start = np.zeros((12, 3), dtype=np.float32)
    placed = place_labels(case, start, epochs=50)
    assert loss(case, placed) < loss(case, _softmax(start))
    np.testing.assert_allclose(placed.sum(axis=0), 1, rtol=1e-5)
    assert not start.any()


def test_labels_land_on_the_cells_that_express_them():
    counts = np.kron(np.eye(2), np.full((3, 2), 4.0))
    case = Problem(
        profiles=np.kron(np.eye(2), np.ones((1, 2))),
        counts=sp.csr_matrix(counts),
        cell_density=np.full(6, 1 / 6),
        label_density=np.array([0.5, 0.5]),
    )
    placed = place_labels(case, np.zeros((6, 2), dtype=np.float32), epochs=100)
    assert placed.argmax(axis=1).tolist() == [0, 0, 0, 1, 1, 1]
