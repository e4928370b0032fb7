"""Which registration stands: a matrix of 2 H&E px to a morphology px of 0.5 um, given right, moved or mirrored."""

import numpy as np
import pytest

from sthelar_build.core.choice import Given, choose
from sthelar_build.core.contest import Entrant, Outcome
from sthelar_build.core.quality import FieldFacts
from sthelar_build.schema.frames import Affine, Frame

CORNERS_UM = np.array([[0.0, 0], [100, 0], [100, 80], [0, 80]])
SCORE = FieldFacts(20, 20, 0, 0, 20, 20, 0.1, 0.2, None)
"""Of no matter here: which entrants are right is said apart."""


def given(rows=((0.5, 0, 0), (0, 0.5, 0))):
    matrix = np.array([*rows, [0, 0, 1]], dtype=float)
    return Given(Affine(matrix, Frame.HE, Frame.MORPHOLOGY), (400, 320), 0.5, 0.25)


def entrant(name, map_of):
    return Entrant(name, map_of.um_to_he, SCORE)


RIGHT = given()
MIRRORED = given(((-0.5, 0, 200), (0, 0.5, 0)))
MOVED = given(((0.5, 0, 6), (0, 0.5, 8)))


def outcome(kept=None, **maps):
    entrants = {name: entrant(name, map_of) for name, map_of in maps.items()}
    return Outcome(entrants.get(kept), entrants)


def test_what_the_search_finds_stands_where_nothing_is_given():
    choice = choose(
        outcome(automatic=RIGHT), frozenset({"automatic"}), None, CORNERS_UM, use_auto=False
    )
    assert (choice.entrant.name, choice.remarks) == ("automatic", ())


def test_where_nothing_is_found_nothing_stands():
    assert choose(outcome(), frozenset(), None, CORNERS_UM, use_auto=False).entrant is None


def test_a_right_map_needs_no_remark():
    tried = outcome("given", given=RIGHT, refined=RIGHT)
    choice = choose(tried, frozenset({"given", "refined"}), RIGHT, CORNERS_UM, use_auto=False)
    assert (choice.entrant.name, choice.remarks) == ("given", ())


def test_a_wrong_map_that_was_mended_says_by_how_much():
    tried = outcome("refined", given=MOVED, refined=RIGHT)
    choice = choose(tried, frozenset({"refined"}), MOVED, CORNERS_UM, use_auto=False)
    assert choice.entrant.name == "refined"
    # (6, 8) px of 0.5 um are 5 um.
    assert choice.remarks == ("the alignment given was off by up to 5 um, and was refined",)


@pytest.mark.parametrize(("use_auto", "stands"), [(False, "given"), (True, "automatic")])
def test_a_wrong_map_is_named_and_replaced_on_request_only(use_auto, stands):
    tried = outcome(given=MIRRORED, refined=MIRRORED, automatic=RIGHT)
    choice = choose(tried, frozenset({"automatic"}), MIRRORED, CORNERS_UM, use_auto=use_auto)
    assert choice.entrant.name == stands
    assert choice.is_mended
    assert any("left and right of the H&E are exchanged" in remark for remark in choice.remarks)
    in_words = "automatic registration finds the matrix 0.5, 0, 0; 0, 0.5, 0; 0, 0, 1"
    assert (in_words in choice.remarks) is not use_auto


def test_where_nothing_fits_the_given_map_stands_and_auto_is_not_promised():
    tried = outcome(given=MIRRORED, refined=MIRRORED, automatic=MOVED)
    choice = choose(tried, frozenset(), MIRRORED, CORNERS_UM, use_auto=True)
    assert choice.entrant.name == "given"
    assert not choice.is_mended
    (remark,) = choice.remarks
    assert "another slide" in remark
