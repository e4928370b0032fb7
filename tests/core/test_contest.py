"""Which registration is kept, on a course whose answers are written down."""

import numpy as np
import pytest

from sthelar_build.core.contest import contest
from sthelar_build.core.quality import FieldFacts
from sthelar_build.schema.frames import Affine, Frame

WRONG = None


def at(x):
    """A map that is told from others by its shift."""
    matrix = np.eye(3)
    matrix[0, 2] = x
    return Affine(matrix, Frame.UM, Frame.HE)


def facts(median_um):
    right = median_um is not WRONG
    agreeing = 20 if right else 1
    return FieldFacts(20, 20, 0, 0, agreeing, agreeing, median_um if right else 7.0, 9.0, None)


GIVEN, REFINED, FOUND = 0.0, 1.0, 2.0


class Course:
    """Says of every map what ``medians`` has for its shift; polishing adds 1, searching finds 2."""

    def __init__(self, medians, *, finds=True):
        self.medians, self.finds, self.tried = medians, finds, []

    def score(self, um_to_he, *, is_fitted):
        shift = um_to_he.matrix[0, 2]
        assert is_fitted == (shift != GIVEN)
        self.tried.append(shift)
        return facts(self.medians.get(shift))

    def is_right(self, score):
        return score.n_agreeing > 10

    def polish(self, um_to_he):
        return at(um_to_he.matrix[0, 2] + 1)

    def find(self):
        return at(FOUND) if self.finds else None


def run(medians, given=GIVEN, readings=(), *, refine=True, finds=True):
    course = Course(medians, finds=finds)
    start = None if given is None else at(given)
    return contest(start, map(at, readings), course, refine=refine), course


@pytest.mark.parametrize(
    ("given_um", "refined_um", "kept"),
    [
        (0.30, 0.10, "refined"),
        (0.12, 0.10, "given"),  # not better by more than noise
        (0.10, 0.30, "given"),
        (WRONG, 0.10, "refined"),
        (0.10, WRONG, "given"),
    ],
)
def test_of_a_given_map_and_the_refined_one_the_better_is_kept(given_um, refined_um, kept):
    outcome, course = run({GIVEN: given_um, REFINED: refined_um})
    assert outcome.kept.name == kept
    assert list(outcome.entrants) == ["given", "refined"]
    assert FOUND not in course.tried


def test_a_map_that_may_not_be_refined_is_not():
    outcome, course = run({GIVEN: 0.4, REFINED: 0.1}, refine=False)
    assert outcome.kept.name == "given"
    assert course.tried == [GIVEN]


def test_where_the_given_map_is_wrong_the_place_is_searched_for_but_not_kept():
    outcome, _ = run({FOUND: 0.1})
    assert outcome.kept is None
    assert outcome.entrants["automatic"].um_to_he.matrix[0, 2] == FOUND


def test_where_the_search_fails_other_readings_are_tried_until_one_is_right():
    outcome, course = run({11.0: 0.1, 21.0: 0.1}, readings=(4, 10, 20))
    assert outcome.entrants["automatic"].um_to_he.matrix[0, 2] == 11
    assert course.tried == [GIVEN, REFINED, FOUND, 5, 11]


def test_where_nothing_is_right_the_search_still_shows_what_it_found():
    outcome, _ = run({}, readings=(4,))
    assert (outcome.kept, set(outcome.entrants)) == (None, {"given", "refined", "automatic"})
    outcome, _ = run({}, finds=False)
    assert set(outcome.entrants) == {"given", "refined"}


@pytest.mark.parametrize(("found_um", "kept"), [(0.1, "automatic"), (WRONG, None)])
def test_without_a_given_map_what_is_found_is_kept_if_it_is_right(found_um, kept):
    outcome, _ = run({FOUND: found_um}, given=None)
    assert (outcome.kept and outcome.kept.name) == kept
    assert list(outcome.entrants) == ["automatic"]


def test_without_a_given_map_and_a_place_there_is_nothing():
    outcome, _ = run({}, given=None, finds=False)
    assert (outcome.kept, outcome.entrants) == (None, {})
