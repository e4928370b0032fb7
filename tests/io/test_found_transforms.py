"""Transforms of what was found: a morphology px is 0.5 um, an H&E px 0.25 um."""

from dataclasses import replace

import numpy as np

from sthelar_build.core.choice import Given
from sthelar_build.core.contest import Entrant
from sthelar_build.core.correction import Correction
from sthelar_build.core.quality import FieldFacts
from sthelar_build.core.straightening import Straightened
from sthelar_build.io.found_transforms import (
    blank_transform,
    moved_transform,
    placed_transform,
    tried_record,
)
from sthelar_build.schema.frames import Affine, Frame

SCORE = FieldFacts(20, 20, 0, 0, 10, 20, 0.1, 0.2, None)
BLANK = blank_transform((400, 320), "matrix", 0.5)


def um_to_he(shift_he_px=0.0):
    return Affine(np.array([[4.0, 0, shift_he_px], [0, 4, 0], [0, 0, 1]]), Frame.UM, Frame.HE)


def given(third=1 / 3):
    matrix = np.array([[0.5, 0, third], [0, 0.5, 0], [0, 0, 1]])
    return Given(Affine(matrix, Frame.HE, Frame.MORPHOLOGY), (400, 320), 0.5, 0.25)


def shift_px(transform):
    return transform.he_to_morphology.matrix[0, 2]


def test_the_map_of_the_user_stays_as_it_is_to_the_last_digit():
    map_of = given()
    found = placed_transform(BLANK, map_of, Entrant("given", map_of.um_to_he, SCORE))
    assert (shift_px(found), found.kept, found.method) == (1 / 3, "given", "matrix")


def test_a_map_that_was_found_has_no_digits_that_mean_nothing():
    found = placed_transform(BLANK, given(), Entrant("refined", um_to_he(-2 / 3), SCORE))
    assert (shift_px(found), found.kept, found.method) == (0.3333, "refined", "matrix")


def test_what_the_search_finds_is_called_automatic():
    found = placed_transform(BLANK, None, Entrant("automatic", um_to_he(), SCORE))
    assert (found.kept, found.method) == ("automatic", "automatic")
    assert found.he_um_per_px == 0.25


def test_a_map_that_straightening_leaves_where_it_is_stays_that_of_the_user():
    placed = placed_transform(BLANK, given(), Entrant("given", given().um_to_he, SCORE))
    assert moved_transform(placed, Straightened(None, given().um_to_he)) is placed


def test_a_map_that_straightening_moves_or_bends_is_refined():
    placed = placed_transform(BLANK, given(0), Entrant("given", given(0).um_to_he, SCORE))
    moved = moved_transform(placed, Straightened(None, um_to_he(-2)))
    assert (shift_px(moved), moved.kept, moved.correction) == (1, "refined", None)
    bend = Correction(0, 0, 10, np.ones((3, 3, 2)))
    bent = moved_transform(replace(placed, kept="automatic"), Straightened(None, um_to_he(), bend))
    assert (shift_px(bent), bent.kept, bent.correction) == (0, "automatic", bend)


def test_what_was_tried_is_told_as_a_user_would_write_it():
    assert tried_record(BLANK, Entrant("refined", um_to_he(-2), SCORE)) == {
        "matrix": [[0.5, 0, 1], [0, 0.5, 0], [0, 0, 1]],
        "median_um": 0.1,
        "p95_um": 0.2,
        "agreeing": 0.5,
    }
