"""Affine maps from pairs of points, some of them wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sthelar_build.core.affine import are_collinear, distances, fit_affine

TURN = np.array([[0.01, 1.29, 800], [-1.29, 0.01, 73000], [0, 0, 1]])


def pairs(n, seed=0, matrix=TURN):
    source = np.random.default_rng(seed).uniform(0, 20_000, (n, 2))
    return source, source @ matrix[:2, :2].T + matrix[:2, 2]


@pytest.mark.parametrize("n", [3, 4, 5, 12, 60])
def test_exact_points_give_the_exact_map(n):
    source, target = pairs(n)
    fit = fit_affine(source, target)
    np.testing.assert_allclose(fit.matrix, TURN, rtol=1e-9, atol=1e-9)
    assert fit.used.all()


def test_a_mirrored_map_is_found():
    mirror = np.diag([-1.0, 1, 1])
    fit = fit_affine(*pairs(6, matrix=mirror))
    np.testing.assert_allclose(fit.matrix, mirror, atol=1e-8)


@pytest.mark.parametrize("n", [5, 6, 8, 15, 40])
def test_one_gross_error_does_not_matter(n):
    source, target = pairs(n)
    target[2] += [3000, -500]
    fit = fit_affine(source, target)
    np.testing.assert_allclose(fit.matrix, TURN, rtol=1e-6, atol=1e-4)
    assert fit.used.tolist() == [point != 2 for point in range(n)]
    assert fit.residuals[2] == pytest.approx(np.hypot(3000, 500), rel=1e-6)
    assert np.delete(fit.residuals, 2).max() < 1e-3


def test_two_swapped_keypoints_of_nine_are_left_out():
    source, target = pairs(9)
    target[[3, 4]] = target[[4, 3]]
    fit = fit_affine(source, target)
    assert np.flatnonzero(~fit.used).tolist() == [3, 4]
    np.testing.assert_allclose(fit.matrix, TURN, rtol=1e-6, atol=1e-4)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000))
def test_noise_is_averaged_out_over_all_points(seed):
    rng = np.random.default_rng(seed)
    source, target = pairs(25, seed)
    noisy = target + rng.normal(0, 5, target.shape)
    fit = fit_affine(source, noisy)
    assert fit.used.mean() > 0.7
    assert distances(fit.matrix, source, target).max() < 15
    assert 2 < np.median(fit.residuals) < 15


def test_each_residual_is_that_of_a_fit_without_the_point():
    source, target = pairs(4)
    target[0] += [0, 10]
    # Three exact points are left when the first is out: it misses by just its own error.
    assert fit_affine(source, target).residuals[0] == pytest.approx(10)


def test_three_points_have_no_residuals():
    assert np.isnan(fit_affine(*pairs(3)).residuals).all()


def test_the_same_points_give_the_same_fit():
    source, target = pairs(60)
    target[:9] += 500
    np.testing.assert_array_equal(
        fit_affine(source, target).matrix, fit_affine(source, target).matrix
    )


def test_points_on_a_line_are_refused():
    line = np.arange(8.0).reshape(4, 2)
    assert are_collinear(line)
    assert not are_collinear([[0, 0], [1, 0], [0, 1]])
    with pytest.raises(ValueError, match="one line"):
        fit_affine(line, line)


def test_two_points_are_refused():
    with pytest.raises(ValueError, match="n >= 3"):
        fit_affine(np.zeros((2, 2)), np.zeros((2, 2)))
