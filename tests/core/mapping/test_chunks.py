"""Chunks of cells: the gradient is the slope, threads change nothing, labels find their cells."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse as sp

from slides.mapped_cells import EACH_TERM, dense_terms, labelled_cells, problem, start_of
from sthelar_build.core.mapping.chunks import ChunkedPlacement, place_labels
from sthelar_build.core.mapping.descent import Schedule
from sthelar_build.core.mapping.objective import Objective, Problem
from sthelar_build.core.mapping.records import FIRST_BETA


def loss(case, logits):
    genes, cells, divergence, entropy = dense_terms(case, logits)
    weights = case.weights
    total = weights.density * divergence + weights.entropy * entropy
    return total - weights.genes * genes - weights.cells * cells


@pytest.mark.parametrize("term", EACH_TERM)
def test_the_gradient_is_the_slope_of_the_objective(term):
    case = problem(EACH_TERM[term], n_cells=30, n_genes=12)
    start = start_of(case)
    placement = ChunkedPlacement(case, start)
    placement.step(Objective(case).at(placement)[1], 1, 0.1)
    gradient = placement.state.mean[:, :4] / np.float32(1 - FIRST_BETA)
    for cell, label in [(0, 0), (13, 1), (29, 3)]:
        up, down = start.astype(float), start.astype(float)
        up[cell, label] += 1e-4
        down[cell, label] -= 1e-4
        slope = (loss(case, up) - loss(case, down)) / 2e-4
        assert gradient[cell, label] == pytest.approx(slope, rel=1e-3, abs=1e-8)


def test_any_number_of_threads_gives_the_same_bits():
    case = problem(EACH_TERM["all"], n_cells=5000, n_genes=30)
    start = start_of(case)
    one, history = place_labels(case, start, Schedule(8), threads=1)
    assert len(ChunkedPlacement(case, start).chunks) > 3
    for threads in (2, 5):
        other, again = place_labels(case, start, Schedule(8), threads=threads)
        np.testing.assert_array_equal(one, other)
        assert history == again


def test_chunks_add_up_to_what_one_chunk_gives(monkeypatch):
    case = problem(EACH_TERM["all"], n_cells=2500, n_genes=30)
    many, _ = place_labels(case, start_of(case), Schedule(5))
    monkeypatch.setattr("sthelar_build.core.mapping.layout._MOST_CHUNKS", 1)
    one, _ = place_labels(case, start_of(case), Schedule(5))
    np.testing.assert_allclose(many, one, rtol=1e-4, atol=1e-9)


def test_columns_sum_to_one_and_the_start_is_kept():
    case = problem(n_cells=300)
    start = start_of(case)
    kept = start.copy()
    placed, history = place_labels(case, start, Schedule(50))
    assert placed.shape == (300, 4)
    np.testing.assert_allclose(placed.sum(axis=0), 1, rtol=1e-5)
    np.testing.assert_array_equal(start, kept)
    assert history[-1].total < history[0].total


def test_labels_land_on_the_cells_that_express_them():
    case = Problem(
        profiles=np.kron(np.eye(2), np.ones((1, 2))),
        counts=sp.csr_matrix(np.kron(np.eye(2), np.full((3, 2), 4.0))),
        cell_density=np.full(6, 1 / 6),
        label_density=np.array([0.5, 0.5]),
    )
    placed, _ = place_labels(case, np.zeros((6, 2), dtype=np.float32), Schedule(100))
    assert placed.argmax(axis=1).tolist() == [0, 0, 0, 1, 1, 1]


def test_more_labels_than_lanes_are_placed_too():
    counts, profiles, truth = labelled_cells(1500, 200, 300, shares=np.full(40, 1 / 40))
    totals = counts.sum(axis=1).A1
    case = Problem(profiles * 1500 / 40, counts, totals / totals.sum(), np.full(40, 1 / 40))
    placed, _ = place_labels(case, start_of(case), Schedule(60))
    assert (placed.argmax(axis=1) == truth).mean() > 0.98


def test_a_pool_that_is_given_is_used():
    case = problem(n_cells=3000)
    with ThreadPoolExecutor(2) as pool:
        shares = ChunkedPlacement(case, start_of(case), pool).shares()
    expected = np.exp(start_of(case).astype(float))
    np.testing.assert_allclose(shares, expected / expected.sum(axis=0), rtol=1e-5)
