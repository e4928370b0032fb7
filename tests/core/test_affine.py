"""Affine maps from pairs of points, some of them wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sthelar_build.core.affine import agreed_affine, are_collinear, distances, fit_affine

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


def nearly_the_same(n, seed=0):
    """Points of a slide, where a small stretch and turn puts them, and that map."""
    matrix = np.array([[1.004, 0.01, 30], [-0.008, 0.99, -12], [0, 0, 1]])
    return *pairs(n, seed, matrix), matrix


def test_seven_wrong_pairs_of_ten_are_left_out():
    source, target, matrix = nearly_the_same(40)
    wrong = np.arange(40) % 10 < 7
    target[wrong] += np.random.default_rng(1).uniform(-400, 400, (28, 2))
    found, used = agreed_affine(source, target, np.ones(40), tolerance=1, max_strain=0.1)
    np.testing.assert_allclose(found, matrix, rtol=1e-6, atol=1e-6)
    assert used.tolist() == (~wrong).tolist()


def test_pairs_within_the_tolerance_are_all_used_and_averaged():
    source = np.array([[0.0, 0], [10, 0], [0, 10], [10, 10]])
    target = source + np.array([[1, 0], [-1, 0], [-1, 0], [1, 0]]) * 0.5
    found, used = agreed_affine(source, target, np.ones(4), tolerance=2, max_strain=0.3)
    assert used.all()
    np.testing.assert_allclose(found, np.eye(3), atol=1e-9)


def test_the_heavier_of_two_groups_is_believed_though_it_is_the_smaller():
    rng = np.random.default_rng(0)
    source = rng.uniform(0, 1000, (20, 2))
    few = np.arange(20) < 7
    target = source + np.where(few[:, None], [50, 0], [0, 50])
    shift_of = {}
    for weight_of_few in (1, 10):
        weights = np.where(few, weight_of_few, 1.0)
        found, used = agreed_affine(source, target, weights, tolerance=1, max_strain=0.01)
        assert used.tolist() == (few if weight_of_few == 10 else ~few).tolist()
        shift_of[weight_of_few] = found[:2, 2]
    np.testing.assert_allclose(shift_of[1], [0, 50], atol=1e-6)
    np.testing.assert_allclose(shift_of[10], [50, 0], atol=1e-6)


def test_a_map_that_strains_too_much_is_refused():
    source = np.random.default_rng(0).uniform(0, 1000, (12, 2))
    weights = np.ones(12)
    assert agreed_affine(source, 1.08 * source, weights, tolerance=1, max_strain=0.05) is None
    found, _ = agreed_affine(source, 1.08 * source, weights, tolerance=1, max_strain=0.1)
    np.testing.assert_allclose(found, np.diag([1.08, 1.08, 1]), atol=1e-9)


def test_fewer_than_four_pairs_agree_on_nothing():
    source, target, _ = nearly_the_same(3)
    assert agreed_affine(source, target, np.ones(3), tolerance=1, max_strain=0.1) is None
    assert agreed_affine(source[:0], target[:0], np.ones(0), 1, 0.1) is None


def test_three_that_agree_among_many_that_do_not_are_too_few():
    source = np.array([[0.0, 0], [100, 0], [0, 100], [100, 100], [50, 50], [20, 80]])
    target = source + np.array([[0, 0], [0, 0], [0, 0], [40, 0], [0, -40], [-40, 40]])
    assert agreed_affine(source, target, np.ones(6), tolerance=1, max_strain=0.1) is None


@pytest.mark.parametrize(
    "line",
    [
        np.arange(12.0).reshape(6, 2),
        np.array([[0.1, 0.3], [0.2, 0.6], [0.3, 0.9], [0.7, 2.1], [1.1, 3.3]]),
        np.array([[5.0, y] for y in range(5)]),
        np.full((6, 2), 7.0),
    ],
)
def test_pairs_on_a_line_or_in_one_point_agree_on_nothing(line):
    assert agreed_affine(line, line, np.ones(len(line)), tolerance=1, max_strain=0.1) is None
