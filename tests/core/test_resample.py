"""Means over boxes."""

import numpy as np

from sthelar_build.core.resample import area_average


def grey(rows):
    return np.repeat(np.array(rows, dtype=np.uint8)[..., None], 3, axis=2)


def test_boxes_of_whole_pixels_are_averaged_with_halves_rounded_up():
    image = grey([[0, 1, 10], [0, 1, 20]])
    assert area_average(image, (0, 0), (2, 2), (1, 1))[..., 0].tolist() == [[1]]
    assert area_average(image, (2, 0), (1, 2), (1, 1))[..., 0].tolist() == [[15]]


def test_a_box_across_pixels_weighs_them_by_area():
    image = grey([[0, 90]])
    assert area_average(image, (0.5, 0), (1.5, 1), (1, 1))[..., 0].tolist() == [[60]]


def test_enlarging_repeats_pixels_and_mixes_where_they_meet():
    image = grey([[0, 90]])
    assert area_average(image, (0, 0), (2 / 3, 1), (1, 3))[..., 0].tolist() == [[0, 45, 90]]


def test_a_plain_image_stays_plain_at_any_step():
    image = np.full((50, 70, 3), 137, dtype=np.uint8)
    assert (area_average(image, (0.3, 1.7), (3.21, 2.77), (16, 20)) == 137).all()


def test_any_step_agrees_with_a_sum_over_finer_pixels():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
    tenth = image.repeat(10, axis=0).repeat(10, axis=1).astype(float)
    boxes = tenth[3 : 3 + 4 * 27, 5 : 5 + 4 * 25].reshape(4, 27, 4, 25, 3).mean(axis=(1, 3))
    found = area_average(image, (0.5, 0.3), (2.5, 2.7), (4, 4))
    assert np.abs(found - boxes).max() <= 0.5 + 1e-6
