"""A disc of nuclei is found on the H&E in the right pose, and in no other."""

import numpy as np
import pytest

from slides.spots import HEIGHT_UM, WIDTH_UM, error_um, field, lying, mapped, painted
from sthelar_build.core.constellation import RADIUS_UM, DiscMap, centres_of_discs
from sthelar_build.core.nucleus_map import NucleusMap
from sthelar_build.core.orientation import Trial
from sthelar_build.core.overview import SPOTS_UM, Overview
from sthelar_build.schema.frames import Affine, Frame

UM_PER_PX = 0.8


@pytest.fixture(scope="module")
def nuclei() -> NucleusMap:
    return mapped(field())


@pytest.mark.parametrize(("turn_deg", "mirrored"), [(30.0, False), (200.0, True)])
def test_the_right_trial_puts_the_disc_in_its_place_and_stands_out(nuclei, turn_deg, mirrored):
    truth, shape = lying(turn_deg, mirrored=mirrored, um_per_px=UM_PER_PX)
    image = painted(field(), truth, shape)
    discs = DiscMap(image.overview(UM_PER_PX, SPOTS_UM), UM_PER_PX)
    centre_um = np.array([WIDTH_UM, HEIGHT_UM]) / 2
    disc = nuclei.part(nuclei.around(centre_um, 1.2 * RADIUS_UM))
    right = discs.best_place(disc, centre_um, Trial(mirrored, turn_deg, UM_PER_PX))
    others = [
        discs.best_place(disc, centre_um, Trial(flip, turn_deg + turn, UM_PER_PX)).score
        for flip in (False, True)
        for turn in (0, 60, 120, 180, 240, 300)
        if (flip, turn) != (mirrored, 0)
    ]
    assert right.score > 1.3 * max(others)
    found = Affine(right.um_to_he, Frame.UM, Frame.HE)
    assert error_um(found, truth, centre_um[None]) < 4


def test_a_blank_image_has_no_place_for_a_disc(nuclei):
    blank = Overview(np.zeros((150, 200), np.uint8), (2.0, 2.0))
    centre_um = np.array([WIDTH_UM, HEIGHT_UM]) / 2
    pose = DiscMap(blank, 1.0).best_place(nuclei, centre_um, Trial(False, 0, 1.0))
    assert pose.score == 0


def test_discs_start_in_the_middle_and_lie_far_apart(nuclei):
    centres = centres_of_discs(nuclei, 4)
    assert np.hypot(*(centres[0] - [WIDTH_UM / 2, HEIGHT_UM / 2])) < RADIUS_UM
    apart = np.hypot(*(centres[:, None] - centres).transpose(2, 0, 1))[np.triu_indices(4, 1)]
    assert apart.min() > RADIUS_UM
    assert (centres > 0).all()
    assert (centres < [WIDTH_UM, HEIGHT_UM]).all()


def test_a_slide_smaller_than_a_disc_has_one(nuclei):
    few = nuclei.part(nuclei.around(np.array([100.0, 100.0]), 30))
    assert len(centres_of_discs(few, 6)) == 1
