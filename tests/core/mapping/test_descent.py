"""The descent goes on until it settles."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from slides.mapped_cells import problem, start_of
from sthelar_build.core.mapping.chunks import ChunkedPlacement, place_labels
from sthelar_build.core.mapping.descent import (
    WINDOW_STEPS,
    Schedule,
    descend,
    epsilon_for,
    has_settled,
)
from sthelar_build.core.mapping.objective import Objective


def test_it_has_settled_once_a_whole_window_varies_little():
    flat = [-0.5] * (WINDOW_STEPS + 1)
    assert has_settled(flat, 1e-3)
    assert has_settled([3.0, *flat], 1e-3)
    assert not has_settled([*flat[:-1], -0.51], 1e-3)
    assert not has_settled([-0.51, *flat[1:]], 1e-3)
    assert not has_settled(flat[1:], 1e-3)


def test_a_slide_of_copies_moves_as_its_original_with_its_own_epsilon():
    case, copies = problem(n_cells=100), 5
    many = replace(
        case,
        profiles=case.profiles * copies,
        counts=sp.vstack([case.counts] * copies, format="csr"),
        cell_density=np.tile(case.cell_density / copies, copies),
    )
    start = start_of(case)
    few, _ = place_labels(case, start, Schedule(50, epsilon=1e-3))
    tiled = np.tile(start, (copies, 1))
    found, _ = place_labels(many, tiled, Schedule(50, epsilon=1e-3 / copies))
    damped, _ = place_labels(many, tiled, Schedule(50, epsilon=1e-3))
    np.testing.assert_allclose(found[:100] * copies, few, rtol=1e-3, atol=1e-7)
    assert np.abs(damped[:100] * copies - few).max() > 0.1 * few.max()


def test_epsilon_falls_with_the_slopes_of_large_slides():
    assert epsilon_for(500) == epsilon_for(10_000) == 1e-8
    assert epsilon_for(1_000_000) == pytest.approx(1e-10)


def test_without_a_tolerance_it_never_settles():
    assert not has_settled([-0.5] * 100, 0)


def test_the_history_has_the_terms_before_every_step_and_after_the_last():
    case = problem(n_cells=60)
    history = descend(ChunkedPlacement(case, start_of(case)), Objective(case), Schedule(5))
    assert len(history) == 6
    assert history[5].total < history[0].total


def test_a_tolerance_saves_steps_and_costs_little():
    case = problem(n_cells=200)
    _, whole = place_labels(case, start_of(case), Schedule(400))
    _, short = place_labels(case, start_of(case), Schedule(400, tolerance=1e-4))
    assert len(whole) == 401
    assert len(short) < 300
    assert abs(short[-1].total - whole[-1].total) < 0.01
    assert short == whole[: len(short)]
