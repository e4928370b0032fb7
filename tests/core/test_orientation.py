"""Every turn, mirror image, size and place of the nuclei on the H&E."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from sthelar_build.core.density import density
from sthelar_build.core.orientation import (
    SIZE_STEP,
    CoarseMap,
    Pose,
    Trial,
    bands,
    distinct,
    sizes_between,
    trials,
)
from sthelar_build.core.overview import Overview

CORNERS_UM = np.array([[0.0, 0], [1000, 0], [1000, 800], [0, 800]])
STEP_PX = 8
"""Level-0 px per pixel of the overviews here; 4 um at 0.5 um/px."""


def clumps(seed=0):
    """Points on 600 x 400 um, most of them in clumps."""
    rng = np.random.default_rng(seed)
    middles = rng.uniform(0, 1, (8, 2)) * [600, 400]
    around = middles[rng.integers(0, 8, 500)] + rng.normal(0, 25, (500, 2))
    inside = ((around > 0) & (around < [600, 400])).all(axis=1)
    return np.concatenate([around[inside], rng.uniform(0, 1, (60, 2)) * [600, 400]])


def um_to_he(trial, shift_px):
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = trial.linear, shift_px
    return matrix


def overview_of_points(points_um, matrix, shape):
    points_px = (points_um @ matrix[:2, :2].T + matrix[:2, 2]) / STEP_PX
    spots = gaussian_filter(density(points_px, np.ones(len(points_px)), shape), 0.7)
    return Overview(np.rint(255 * spots / spots.max()).astype(np.uint8), (STEP_PX, STEP_PX))


def misplaced_um(found, matrix):
    between = np.linalg.solve(matrix, found)
    moved = CORNERS_UM @ between[:2, :2].T + between[:2, 2]
    return np.linalg.norm(moved - CORNERS_UM, axis=1).max()


def shifted(dx_px, score=1.0):
    return Pose(np.array([[1.0, 0, dx_px], [0, 1, 0], [0, 0, 1]]), score)


@pytest.mark.parametrize(("smallest", "largest"), [(0.9, 1.1), (0.2, 1.0), (0.3, 0.31)])
def test_sizes_end_exactly_and_rise_by_no_more_than_the_step(smallest, largest):
    sizes = np.array(sizes_between(smallest, largest))
    assert (sizes[0], sizes[-1]) == (smallest, largest)
    ratios = sizes[1:] / sizes[:-1]
    assert (ratios > 1).all()
    assert (ratios <= SIZE_STEP + 1e-12).all()


def test_a_smaller_step_gives_more_sizes():
    # ln 2 / ln 1.2 = 3.8 and ln 2 / ln 1.1 = 7.3 steps are needed.
    assert len(sizes_between(0.5, 1.0, step=1.2)) == 5
    assert len(sizes_between(0.5, 1.0, step=1.1)) == 9


def test_between_a_size_and_itself_lies_that_size_only():
    assert sizes_between(0.5, 0.5) == [0.5]


def test_sizes_of_up_to_a_quarters_difference_share_a_band():
    assert bands([0.4, 0.45, 0.5, 0.51, 0.6, 0.8]) == [[0.4, 0.45, 0.5], [0.51, 0.6], [0.8]]
    assert bands([0.3]) == [[0.3]]


def test_every_turn_is_tried_mirrored_and_not_at_every_size():
    tried = trials([0.4, 0.5], 5)
    assert len(tried) == len(set(tried)) == 2 * 72 * 2
    assert {Trial(mirrored, 355.0, 0.5) for mirrored in (False, True)} <= set(tried)
    handed = [np.sign(np.linalg.det(trial.linear)) for trial in tried]
    assert handed.count(-1) == handed.count(1) == 144


def test_a_trial_mirrors_then_turns_then_scales():
    np.testing.assert_allclose(Trial(False, 90, 0.5).linear @ [3, 0], [0, 6], atol=1e-12)
    np.testing.assert_allclose(Trial(True, 90, 0.5).linear @ [3, 0], [0, -6], atol=1e-12)
    np.testing.assert_allclose(Trial(True, 90, 0.5).linear @ [0, 3], [-6, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("trial", "shift_px"),
    [
        (Trial(False, 0, 0.5), (400, 240)),
        (Trial(False, 0, 0.5), (0, 0)),
        (Trial(False, 90, 0.5), (1000, 100)),
        (Trial(True, 0, 0.5), (1500, 300)),
        (Trial(True, 215, 0.5), (1200, 900)),
    ],
)
def test_the_best_place_is_where_the_image_shows_the_nuclei(trial, shift_px):
    points, matrix = clumps(), um_to_he(trial, shift_px)
    overview = overview_of_points(points, matrix, (200, 260))
    found = CoarseMap(overview, points, np.ones(len(points)), 0.5).best_place(trial)
    assert misplaced_um(found.um_to_he, matrix) < 1.5 * STEP_PX * 0.5
    assert found.score > 0


@pytest.mark.parametrize("shift_px", [(-400, 40), (40, -240), (-320, -160)])
def test_a_place_partly_beyond_the_image_is_found(shift_px):
    trial = Trial(False, 0, 0.5)
    points, matrix = clumps(), um_to_he(trial, shift_px)
    overview = overview_of_points(points, matrix, (80, 120))
    found = CoarseMap(overview, points, np.ones(len(points)), 0.5).best_place(trial)
    assert misplaced_um(found.um_to_he, matrix) < 1.5 * STEP_PX * 0.5


def test_the_right_trial_scores_more_than_any_other():
    truth = Trial(True, 120, 0.5)
    points = clumps()
    overview = overview_of_points(points, um_to_he(truth, (1000, 500)), (200, 260))
    matcher = CoarseMap(overview, points, np.ones(len(points)), 0.5)
    tried = [Trial(mirrored, turn, 0.5) for mirrored in (False, True) for turn in range(0, 360, 30)]
    assert max(tried, key=lambda trial: matcher.best_place(trial).score) == truth


def test_large_nuclei_count_more_than_small_ones():
    trial, points = Trial(False, 0, 0.5), clumps()
    left, right = um_to_he(trial, (200, 200)), um_to_he(trial, (680, 200))
    is_left = points[:, 0] < 300
    at = np.where(is_left[:, None], [200, 200], [680, 200])
    # The image shows the left half of the nuclei where one place puts them, the right half where another does.
    points_px = (points / 0.5 + at) / STEP_PX
    spots = gaussian_filter(density(points_px, np.ones(len(points)), (150, 280)), 0.7)
    overview = Overview(np.rint(255 * spots / spots.max()).astype(np.uint8), (STEP_PX, STEP_PX))
    for areas, expected in [(np.where(is_left, 9, 1), left), (np.where(is_left, 1, 9), right)]:
        found = CoarseMap(overview, points, areas, 0.5).best_place(trial)
        assert misplaced_um(found.um_to_he, expected) < 1.5 * STEP_PX * 0.5


def test_nothing_speaks_for_any_place_on_an_empty_image():
    empty = Overview(np.zeros((60, 70), dtype=np.uint8), (STEP_PX, STEP_PX))
    points = clumps()
    found = CoarseMap(empty, points, np.ones(len(points)), 0.5).best_place(Trial(False, 0, 0.5))
    assert found.score == pytest.approx(0, abs=1e-6)


def test_of_poses_that_are_nearly_the_same_the_best_is_kept():
    poses = [shifted(0, 1), shifted(10, 3), shifted(500, 2), shifted(-20, 2.5)]
    kept = distinct(poses, CORNERS_UM, at_most=9)
    assert kept == [poses[1], poses[2]]


def test_poses_that_differ_by_a_turn_about_the_corner_are_two():
    turn = np.deg2rad(10)
    turned = np.array(
        [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    )
    assert len(distinct([shifted(0), Pose(turned, 0.5)], CORNERS_UM, at_most=9)) == 2


def test_no_more_poses_are_kept_than_asked_for():
    poses = [shifted(400 * number, number) for number in range(6)]
    assert distinct(poses, CORNERS_UM, at_most=2) == [poses[5], poses[4]]
