"""Sections that are flat, distorted, or not the right ones at all."""

import numpy as np
import pandas as pd
import pytest

from sthelar_build.core.correction import CorrectedMap
from sthelar_build.core.straightening import StraighteningRule, straightened
from sthelar_build.schema.frames import Affine, Frame

RULE = StraighteningRule(search_um=10, agree_um=2, correct_above_um=1.5, correction_step_um=200)
AFFINE = Affine.scaling(2.0, Frame.UM, Frame.HE)
SIDE_UM = 2400


def centres():
    x, y = np.meshgrid(np.arange(50, SIDE_UM, 100), np.arange(50, SIDE_UM, 100))
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(float)


def section(true_he):
    """Tiles of a section whose nuclei lie where ``true_he`` (um -> H&E px) says."""

    def measure(um_to_he, search_um):
        rng = np.random.default_rng(0)
        points = centres()
        linear = um_to_he.near(points).matrix[:2, :2]
        shift_um = (true_he(points) - um_to_he.apply(points)) @ np.linalg.inv(linear).T
        shift_um += rng.normal(0, 0.1, shift_um.shape)
        lost = (np.abs(shift_um) > search_um).any(axis=1)
        shift_um[lost] = rng.uniform(-search_um, search_um, (int(lost.sum()), 2))
        return pd.DataFrame(
            {
                "x_um": points[:, 0],
                "y_um": points[:, 1],
                "n_nuclei": np.uint32(20),
                "correlation": np.nan,
                **{f"correlation_{n}um": np.nan for n in (1, 2, 4, 8)},
                "dx_um": shift_um[:, 0],
                "dy_um": shift_um[:, 1],
                "residual_um": np.hypot(*shift_um.T),
                "reason": None,
            }
        )

    return measure


def waves_um(points):
    phase = 2 * np.pi * points[:, ::-1] / 1500
    return 10 * np.stack([np.sin(phase[:, 0]), np.cos(phase[:, 1])], axis=1)


def test_a_flat_section_is_left_as_it_is():
    found = straightened(AFFINE, section(AFFINE.apply), RULE)
    assert found.correction is None
    assert found.affine is AFFINE
    assert found.fit.smooth_um < 0.2


def test_a_section_with_waves_is_straightened_to_a_fraction_of_them():
    def true_he(points):
        return AFFINE.apply(points + waves_um(points))

    found = straightened(AFFINE, section(true_he), RULE)
    points = np.random.default_rng(1).uniform(100, SIDE_UM - 100, (2000, 2))
    placed = CorrectedMap(found.correction, found.affine).apply(points)
    off_um = np.hypot(*(placed - true_he(points)).T) / 2
    assert np.hypot(*waves_um(points).T).max() > 13
    assert np.quantile(off_um, 0.95) < 1


def test_what_is_affine_of_a_distortion_goes_into_the_affine_map():
    turned = AFFINE.matrix.copy()
    turned[:2, :2] @= np.array([[1, -0.012], [0.012, 1]])
    true = Affine(turned, Frame.UM, Frame.HE)
    found = straightened(AFFINE, section(true.apply), RULE)
    assert found.correction is None
    np.testing.assert_allclose(found.affine.apply(centres()), true.apply(centres()), atol=1)


def test_shifts_at_random_are_no_distortion():
    far = Affine.scaling(3.0, Frame.UM, Frame.HE)
    found = straightened(AFFINE, section(lambda points: far.apply(points) + 999), RULE)
    assert found.correction is None
    assert found.affine is AFFINE


def test_too_few_tiles_say_nothing():
    def few(um_to_he, search_um):
        return section(AFFINE.apply)(um_to_he, search_um).head(10)

    found = straightened(AFFINE, few, RULE)
    assert (found.fit, found.correction) == (None, None)


@pytest.mark.parametrize("above_um", [20.0])
def test_a_distortion_below_the_limit_is_only_reported(above_um):
    rule = StraighteningRule(10, 2, above_um, 200)
    found = straightened(AFFINE, section(lambda p: AFFINE.apply(p + waves_um(p))), rule)
    assert found.correction is None
    assert found.fit.smooth_um > 8
