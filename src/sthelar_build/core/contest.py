"""Which registration of a slide is kept: the one that was given, that one refined, or one that was found unattended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from sthelar_build.core.quality import FieldFacts
from sthelar_build.schema.frames import Affine

Name = Literal["given", "refined", "automatic"]

_BETTER_UM = 0.05
"""A polished map must be better by so much: below, it is noise, and the file of the user stands."""


@dataclass(frozen=True, eq=False)
class Entrant:
    """A registration, and how well the tiles agree with it."""

    name: Name
    um_to_he: Affine
    score: FieldFacts


class Course(Protocol):
    """A slide on which registrations are tried."""

    def score(self, um_to_he: Affine, *, is_fitted: bool) -> FieldFacts:
        """Measure tiles that are spread over the slide, under a map that was fitted to it or not."""

    def is_right(self, score: FieldFacts) -> bool:
        """Return whether tiles agree well enough for the map to be the right one."""

    def polish(self, um_to_he: Affine) -> Affine:
        """Return the map made exact, or as it is if nothing speaks for it."""

    def find(self) -> Affine | None:
        """Return the best place that was found unattended."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of the contest."""

    kept: Entrant | None
    """The right one, if there is one that may be used."""
    entrants: Mapping[Name, Entrant] = field(default_factory=dict)


def contest(
    given: Affine | None, readings: Iterable[Affine], course: Course, *, refine: bool
) -> Outcome:
    """Return the registration to keep, and all that were tried.

    A given map is polished if ``refine``, and whichever scores better is kept. If neither is right the place is
    searched for, and if that fails the given map is read in other ways. What is found so is ``automatic`` and not kept:
    whether it may be used is for the user to say.

    Parameters
    ----------
    given
        The map of the user, um to level-0 H&E px; None where there is none.
    readings
        What it may be instead (``core.mistakes``).
    course
        The slide.
    refine
        Whether a given map is polished.
    """
    if given is None:
        found = _found(course)
        return Outcome(found if found and course.is_right(found.score) else None, _named(found))
    tried = _given_and_refined(given, course, refine=refine)
    right = [entrant for entrant in tried if course.is_right(entrant.score)]
    if right:
        return Outcome(min(right, key=_loss_um), _named(*tried))
    found = _found(course)
    if found is None or not course.is_right(found.score):
        found = _reread(readings, course) or found
    return Outcome(None, _named(*tried, found))


def _given_and_refined(given: Affine, course: Course, *, refine: bool) -> list[Entrant]:
    first = Entrant("given", given, course.score(given, is_fitted=False))
    if not refine:
        return [first]
    polished = course.polish(given)
    return [first, Entrant("refined", polished, course.score(polished, is_fitted=True))]


def _loss_um(entrant: Entrant) -> float:
    median_um = entrant.score.median_um
    if median_um is None:
        return float("inf")
    return median_um - (_BETTER_UM if entrant.name == "given" else 0)


def _reread(readings: Iterable[Affine], course: Course) -> Entrant | None:
    for reading in readings:
        polished = course.polish(reading)
        score = course.score(polished, is_fitted=True)
        if course.is_right(score):
            return Entrant("automatic", polished, score)
    return None


def _found(course: Course) -> Entrant | None:
    um_to_he = course.find()
    if um_to_he is None:
        return None
    return Entrant("automatic", um_to_he, course.score(um_to_he, is_fitted=True))


def _named(*entrants: Entrant | None) -> dict[Name, Entrant]:
    return {entrant.name: entrant for entrant in entrants if entrant}
