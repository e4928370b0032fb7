"""The classical segmenter, on drawn discs whose number and place are known."""

import numpy as np
import pytest

from sthelar_build.core.haematoxylin import NucleusRule, find_nuclei, stain_threshold

RULE = NucleusRule(
    smoothing_um=0.5,
    local_share=0.5,
    opening_um=0.75,
    max_hole_um2=12,
    split_depth_um=0.75,
    min_area_um2=10,
    max_area_um2=400,
)
SIDE_UM = 64


def discs(*circles_um, um_per_px, dark=1.0, side_um=SIDE_UM):
    """Draw discs (x, y, radius) in um, on a faint noisy ground."""
    side_px = round(side_um / um_per_px)
    y, x = (np.mgrid[:side_px, :side_px] + 0.5) * um_per_px
    stain = np.random.default_rng(0).normal(0.05, 0.02, (side_px, side_px))
    for x_um, y_um, radius_um in circles_um:
        stain[(x - x_um) ** 2 + (y - y_um) ** 2 < radius_um**2] = dark
    return stain.astype(np.float32)


@pytest.mark.parametrize("um_per_px", [0.25, 0.5])
def test_separate_nuclei_are_found_whole_at_either_scale(um_per_px):
    nuclei = find_nuclei(
        discs((12, 12, 4), (40, 20, 5), (30, 50, 3), um_per_px=um_per_px), um_per_px, 0.5, RULE
    )
    area_um2 = np.sort(np.bincount(nuclei.ravel())[1:]) * um_per_px**2
    np.testing.assert_allclose(area_um2, [np.pi * 9, np.pi * 16, np.pi * 25], rtol=0.1)


@pytest.mark.parametrize("um_per_px", [0.25, 0.5])
def test_two_touching_nuclei_are_split_at_their_waist(um_per_px):
    nuclei = find_nuclei(discs((24, 32, 5), (33, 32, 5), um_per_px=um_per_px), um_per_px, 0.5, RULE)
    row = nuclei[round(32 / um_per_px)]
    assert nuclei.max() == 2
    assert row[round(24 / um_per_px)] != row[round(33 / um_per_px)]


@pytest.mark.parametrize("um_per_px", [0.25, 0.5])
def test_a_long_nucleus_without_a_waist_stays_one(um_per_px):
    chain = [(16 + 0.25 * n, 30 + 0.05 * n, 3) for n in range(100)]
    assert find_nuclei(discs(*chain, um_per_px=um_per_px), um_per_px, 0.5, RULE).max() == 1


def test_a_pale_centre_is_filled_and_a_lumen_is_not():
    pale = discs((16, 16, 5), um_per_px=0.5)
    y, x = (np.mgrid[:128, :128] + 0.5) * 0.5
    pale[(x - 16) ** 2 + (y - 16) ** 2 < 1.5**2] = 0.05
    ring = discs((40, 40, 10), um_per_px=0.5)
    ring[(x - 40) ** 2 + (y - 40) ** 2 < 7**2] = 0.05
    assert find_nuclei(pale, 0.5, 0.5, RULE)[32, 32] > 0
    assert find_nuclei(ring, 0.5, 0.5, RULE)[80, 80] == 0


def test_a_patch_without_nuclei_gives_nothing_for_its_noise_lies_below_the_slide():
    assert not find_nuclei(discs(um_per_px=0.5), 0.5, 0.5, RULE).any()
    assert not find_nuclei(np.zeros((32, 32)), 0.5, 0.5, RULE).any()


def test_objects_too_small_or_too_large_for_a_nucleus_are_left_out():
    nuclei = find_nuclei(
        discs((8, 8, 1.2), (40, 40, 20), (8, 50, 4), um_per_px=0.5), 0.5, 0.5, RULE
    )
    assert nuclei.max() == 1
    assert nuclei[100, 16] == 1


def test_a_nucleus_on_the_border_keeps_its_visible_part():
    nuclei = find_nuclei(discs((0, 32, 5), um_per_px=0.5), 0.5, 0.5, RULE)
    assert nuclei[64, 0] == 1


def test_ids_are_dense_from_one():
    nuclei = find_nuclei(
        discs((8, 8, 1.2), (20, 20, 4), (50, 50, 4), um_per_px=0.5), 0.5, 0.5, RULE
    )
    np.testing.assert_array_equal(np.unique(nuclei), [0, 1, 2])


def test_the_threshold_parts_two_groups_and_survives_a_flat_image():
    assert 0.1 < stain_threshold(np.array([0.1] * 50 + [0.9] * 50)) < 0.9
    assert stain_threshold(np.zeros(10)) == 0
