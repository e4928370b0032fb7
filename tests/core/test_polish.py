"""A rough place of the nuclei on the H&E, made exact by windows."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from slides import spots
from sthelar_build.core.polish import (
    Polished,
    Step,
    coarse_steps,
    fine_steps,
    polish,
    spread_windows,
)
from sthelar_build.schema.frames import Affine, Frame

ONE_STEP = [Step(0.5, 100, 8, 30, 1.0, 0.02)]


@pytest.fixture(scope="module")
def nuclei():
    return spots.mapped(spots.field())


@pytest.fixture(scope="module")
def he():
    return spots.painted(spots.field(), *lying())


def lying():
    return spots.lying(130, mirrored=True, um_per_px=0.6)


def aside(dx_um, dy_um, turn_deg=0.0, stretch=1.0):
    """The true map, but for a shift, a turn and a stretch about the middle of the nuclei."""
    truth, _ = lying()
    angle = np.deg2rad(turn_deg)
    turn = stretch * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle_um = np.array([spots.WIDTH_UM, spots.HEIGHT_UM]) / 2
    wrong = np.eye(3)
    wrong[:2, :2], wrong[:2, 2] = turn, middle_um - turn @ middle_um
    wrong[:2, 2] += [dx_um, dy_um]
    return Affine(truth.matrix @ wrong, Frame.UM, Frame.HE)


def lattice(width_um, height_um, apart_um=10.0):
    """Small nuclei on every crossing of a lattice from the origin."""
    x, y = np.meshgrid(np.arange(0, width_um, apart_um), np.arange(0, height_um, apart_um))
    return small_nuclei(np.stack([x.ravel(), y.ravel()], axis=1))


def small_nuclei(points_um):
    return spots.mapped(spots.ellipses(points_um, np.ones((len(points_um), 3))))


def blank(window, um_to_he):
    return np.zeros(window.shape, dtype=np.float32)


@pytest.mark.parametrize(
    "start", [aside(0, 0), aside(9, -7), aside(2, 2, turn_deg=1.2), aside(0, 0, stretch=0.98)]
)
def test_the_map_becomes_exact(start, nuclei, he):
    found = polish(nuclei, start, fine_steps(60), he.haematoxylin)
    assert spots.error_um(found.um_to_he, lying()[0], nuclei.points_um) < 0.3
    assert found.agreeing > 0.8
    assert found.support > 5


def test_the_coarse_steps_bring_a_rough_place_near(nuclei, he):
    start = aside(25, -20, turn_deg=2)
    overview = he.overview(0.6, around_um=5)
    found = polish(nuclei, start, coarse_steps(4, 2), overview.window)
    before_um = spots.error_um(start, lying()[0], nuclei.points_um)
    assert spots.error_um(found.um_to_he, lying()[0], nuclei.points_um) < 2.5 < 30 < before_um


def test_threads_give_the_same_map(nuclei, he):
    start = aside(3, -2)
    alone = polish(nuclei, start, ONE_STEP, he.haematoxylin)
    with ThreadPoolExecutor(2) as pool:
        together = polish(nuclei, start, ONE_STEP, he.haematoxylin, pool.map)
    np.testing.assert_array_equal(together.um_to_he.matrix, alone.um_to_he.matrix)
    assert together.support == alone.support


def test_on_an_empty_image_nothing_agrees_and_the_map_stays(nuclei):
    start = aside(3, -2)
    found = polish(nuclei, start, ONE_STEP, blank)
    np.testing.assert_array_equal(found.um_to_he.matrix, start.matrix)
    assert (found.n_agreeing, found.n_showing, found.support) == (0, 0, 0.0)


def test_three_windows_agree_on_nothing_however_clear_they_are(nuclei, he):
    start = aside(3, -2)
    three = [Step(0.5, 100, 8, 3, 1.0, 0.02)]
    found = polish(nuclei, start, three, he.haematoxylin)
    np.testing.assert_array_equal(found.um_to_he.matrix, start.matrix)
    assert (found.n_agreeing, found.n_showing, found.support) == (0, 3, 0.0)


def test_a_shift_beyond_the_search_is_not_believed(nuclei, he):
    found = polish(nuclei, aside(30, 0), ONE_STEP, he.haematoxylin)
    assert found.agreeing < 0.5


def test_half_an_h_and_e_is_enough(nuclei, he):
    truth, _ = lying()
    rgb = he.rgb.copy()
    rgb[: len(rgb) // 2] = 255
    found = polish(nuclei, aside(3, -2), ONE_STEP * 2, spots.PaintedHe(rgb).haematoxylin)
    assert spots.error_um(found.um_to_he, truth, nuclei.points_um) < 1


def test_the_share_that_agrees_is_of_the_windows_that_show_anything():
    truth, _ = lying()
    assert Polished(truth, 3, 12, 1.0).agreeing == 0.25
    assert Polished(truth, 0, 0, 0.0).agreeing == 0


@pytest.mark.parametrize(
    ("from_um", "to_um", "expected"),
    [
        (16, 2, [16, 8, 4, 2]),
        (10, 2, [10, 5, 2.5, 1.25]),
        (2, 2, [2]),
        (1.5, 2, [1.5]),
    ],
)
def test_the_coarse_steps_halve_down_to_the_asked_size(from_um, to_um, expected):
    steps = coarse_steps(from_um, to_um)
    assert [step.um_per_px for step in steps] == expected
    assert [step.window_um / step.um_per_px for step in steps] == [48] * len(expected)


def test_only_the_first_coarse_step_may_strain_much():
    strains = [step.max_strain for step in coarse_steps(16, 2)]
    assert strains[0] > strains[1] == strains[2] == strains[3]


def test_the_fine_steps_become_finer_and_keep_to_the_number_of_windows():
    steps = fine_steps(50)
    assert [step.um_per_px for step in steps] == [1.0, 0.5, 0.5]
    assert [step.max_windows for step in steps] == [50] * 3


@pytest.mark.parametrize("step", [*coarse_steps(16, 2), *fine_steps(200)])
def test_what_a_step_tolerates_leads_into_the_search_of_the_next(step):
    assert step.tolerance_um < step.search_um < step.window_um


def test_on_a_small_slide_the_windows_overlap():
    windows = spread_windows(lattice(250, 120), Step(1.0, 100, 8, 50, 1.0, 0.02))
    # 240 x 110 um between the outermost centroids.
    lefts_um = np.unique([round(window.left_um, 6) for window in windows])
    assert lefts_um.tolist() == [0, 35, 70, 105, 140]
    assert len({window.top_um for window in windows}) == 3
    assert len(windows) == 15


def test_on_a_slide_smaller_than_a_window_they_still_lie_apart():
    windows = spread_windows(lattice(90, 90), Step(1.0, 100, 8, 50, 1.0, 0.02))
    centres = [tuple(window.corners_um.mean(axis=0)) for window in windows]
    assert len(set(centres)) == 9
    assert np.ptp(centres, axis=0).tolist() == pytest.approx([40, 40])


def test_on_a_large_slide_they_are_limited_in_number_and_spread_over_all_of_it():
    nuclei = lattice(1000, 1000)
    step = Step(1.0, 100, 8, 20, 1.0, 0.02)
    windows = spread_windows(nuclei, step)
    assert len(windows) == len(set(windows)) == 20
    centres = np.array([window.corners_um.mean(axis=0) for window in windows])
    assert (np.ptp(centres, axis=0) > 700).all()
    assert (centres.min(axis=0) < 200).all()


def test_windows_without_nuclei_are_skipped():
    left_um = lattice(200, 200).points_um
    right_um = left_um + np.array([800, 0])
    nuclei = small_nuclei(np.concatenate([left_um, right_um]))
    windows = spread_windows(nuclei, Step(1.0, 100, 8, 50, 1.0, 0.02))
    middles = np.array([window.corners_um[:, 0].mean() for window in windows])
    assert len(windows) > 4
    assert ((middles < 250) | (middles > 750)).all()


def test_a_slide_with_too_few_nuclei_has_no_windows():
    few = lattice(30, 20)
    assert len(few.points_um) == 6
    assert spread_windows(few, ONE_STEP[0]) == []
    assert polish(few, aside(0, 0), ONE_STEP, blank).support == 0
