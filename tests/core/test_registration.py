"""Correlation over shifts, and pixels on another grid."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from sthelar_build.core.registration import (
    Window,
    best_shift,
    correlation_surface,
    resampled,
    weighted_quantiles,
)


def cloud(shape, seed=0):
    return gaussian_filter(np.random.default_rng(seed).normal(size=shape), 3).astype(np.float32)


def test_the_surface_is_the_correlation_at_every_place():
    image, template = cloud((30, 34), 1), cloud((20, 28), 2)
    surface = correlation_surface(image, template)
    assert surface.shape == (11, 7)
    for row, column in [(0, 0), (5, 3), (10, 6)]:
        beneath = image[row : row + 20, column : column + 28]
        expected = np.corrcoef(beneath.ravel(), template.ravel())[0, 1]
        assert surface[row, column] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (4, -7), (-10, 10)])
def test_the_shift_moves_the_template_to_where_it_fits(dx, dy):
    image = cloud((80, 90))
    template = image[10 + dy : 70 + dy, 10 + dx : 80 + dx]
    shift = best_shift(correlation_surface(image, template))
    assert (shift.dx_px, shift.dy_px) == pytest.approx((dx, dy), abs=0.1)
    assert shift.best == pytest.approx(1, abs=1e-3)


def test_brightness_and_contrast_do_not_matter():
    image = cloud((60, 60))
    shift = best_shift(correlation_surface(1000 + 3 * image, image[12:52, 8:48]))
    assert (shift.dx_px, shift.dy_px) == pytest.approx((-2, 2), abs=0.1)


def test_a_peak_between_pixels_is_found_between_them():
    x = np.arange(-10, 11)
    surface = 1 - ((x[None, :] - 2.3) ** 2 + (x[:, None] + 4.4) ** 2) / 500
    shift = best_shift(surface)
    assert (shift.dx_px, shift.dy_px) == pytest.approx((2.3, -4.4))


def test_a_peak_on_the_border_is_not_refined():
    surface = np.zeros((5, 5))
    surface[0, 4] = 1
    assert (best_shift(surface).dx_px, best_shift(surface).dy_px) == (2, -2)


def test_the_gain_is_the_height_over_the_farthest_shifts():
    surface = np.full((5, 5), 0.2)
    surface[2, 2] = 0.9
    assert best_shift(surface).gain == pytest.approx(0.7)
    assert best_shift(surface).correlation == pytest.approx(0.9)


@pytest.mark.parametrize("flat", ["image", "template"])
def test_nothing_correlates_with_what_is_flat(flat):
    image, template = cloud((20, 20)), cloud((10, 10), 1)
    image = np.full_like(image, 7) if flat == "image" else image
    template = np.ones_like(template) if flat == "template" else template
    assert not correlation_surface(image, template).any()


def test_the_same_grid_gives_the_same_image():
    image = cloud((7, 9))
    np.testing.assert_allclose(resampled(image, np.eye(3), (7, 9), 0), image, atol=1e-6)


def test_a_quarter_turn_turns_the_pixels():
    image = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float32)
    # The point (x, y) of the new grid lies at (y, 2 - x) of the image.
    turn = np.array([[0, 1, 0], [-1, 0, 2], [0, 0, 1]])
    assert resampled(image, turn, (3, 2), 0).round().tolist() == [[4, 1], [5, 2], [6, 3]]


def test_half_a_pixel_aside_lies_the_mean_of_two():
    image = np.array([[0, 10, 20]], dtype=np.float32)
    aside = np.array([[1, 0, 0.5], [0, 1, 0], [0, 0, 1]])
    assert resampled(image, aside, (1, 2), 0).tolist() == [[5, 15]]


def test_quantiles_weigh_their_values():
    values, weights = np.array([3.0, 1, 2]), np.array([1.0, 8, 1])
    assert weighted_quantiles(values, weights, [0.5, 0.85, 0.95]) == [1, 2, 3]
    assert weighted_quantiles(np.array([4.0]), np.array([2.0]), [0.5, 0.95]) == [4, 4]


def test_a_window_knows_its_corners_and_its_margin():
    window = Window(left_um=10, top_um=20, um_per_px=0.5, shape=(4, 8))
    assert window.corners_um.tolist() == [[10, 20], [14, 20], [14, 22], [10, 22]]
    assert window.grown(2) == Window(9, 19, 0.5, (8, 12))
    assert (window.to_um @ [8, 4, 1]).tolist() == [14, 22, 1]
