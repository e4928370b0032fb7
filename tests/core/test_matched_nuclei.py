"""Nuclei of the H&E, and which of them belong to nuclei of the bundle."""

import numpy as np
import pytest

from sthelar_build.core.matched_nuclei import matched_distances, stained_cores


def stain_of(centres_px, shape=(120, 160), sigma_px=4.0, height=0.6):
    rows, columns = np.indices(shape) + 0.5
    return sum(
        height * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma_px**2))
        for x, y in centres_px
    ).astype(np.float32)


def test_every_nucleus_has_its_core_to_a_fraction_of_a_pixel():
    centres = np.array([[30.3, 25.0], [100.0, 40.7], [60.5, 90.5]])
    found = stained_cores(stain_of(centres), um_per_px=0.5)
    order = np.argsort(found[:, 1])
    assert found[order] == pytest.approx(centres, abs=0.15)


def test_a_slope_of_the_stain_is_no_nucleus():
    background = np.linspace(0, 1, 160, dtype=np.float32)[None, :]
    found = stained_cores(stain_of([[80, 60]], height=0.8) + background, um_per_px=0.5)
    assert np.hypot(*(found - [80, 60]).T).min() < 1.5
    assert len(found) <= 3


def test_an_even_stain_has_no_nucleus():
    assert stained_cores(np.ones((50, 50), np.float32), 0.5).shape == (0, 2)


def test_pairs_choose_each_other():
    one = np.array([[0.0, 0], [1, 0], [50, 0]])
    other = np.array([[0.8, 0.0], [50, 3], [90, 0]])
    found = matched_distances(one, other, farthest=4)
    assert found.tolist() == pytest.approx([0.2, 3.0])
    assert found.dtype == np.float32


def test_what_lies_too_far_is_no_pair():
    assert len(matched_distances(np.zeros((1, 2)), np.array([[0.0, 5]]), farthest=4)) == 0


@pytest.mark.parametrize(("n", "m"), [(0, 3), (3, 0), (0, 0)])
def test_without_nuclei_there_are_no_pairs(n, m):
    assert len(matched_distances(np.zeros((n, 2)), np.zeros((m, 2)), 4)) == 0
