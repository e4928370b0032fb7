"""Which registration stands after the contest, and what a person should know of the choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.contest import Entrant, Outcome
from sthelar_build.core.mistakes import Hypothesis, diagnose, hypotheses
from sthelar_build.schema.frames import Affine, Frame


@dataclass(frozen=True, eq=False)
class Given:
    """The map of the user, H&E px to morphology px, and the sizes that it must fit."""

    he_to_morphology: Affine
    he_size_px: tuple[int, int]
    """Width and height of the H&E."""
    pixel_size_um: float
    """Size of a morphology pixel."""
    stated_um_per_px: float | None
    """Size of an H&E pixel, as the file states it."""

    @property
    def um_to_he(self) -> Affine:
        """The map as the contest takes it."""
        return self._um_to_px.then(self.he_to_morphology.inverse())

    def readings(self) -> list[Hypothesis]:
        """Return what the map may be instead."""
        return hypotheses(
            self.he_to_morphology, self.he_size_px, self.pixel_size_um, self.stated_um_per_px
        )

    def to_morphology(self, um_to_he: Affine) -> Affine:
        """Return a map of the contest as the user would write it."""
        return um_to_he.inverse().then(self._um_to_px)

    @property
    def _um_to_px(self) -> Affine:
        return Affine.scaling(1 / self.pixel_size_um, Frame.UM, Frame.MORPHOLOGY)


class Choice(NamedTuple):
    """The registration that stands, right or wrong, and remarks on it for the user."""

    entrant: Entrant | None
    remarks: tuple[str, ...] = ()
    is_mended: bool = False
    """Whether a search found the right place where the given map is wrong."""


def choose(
    outcome: Outcome,
    right: frozenset[str],
    given: Given | None,
    corners_um: NDArray[np.float64],
    *,
    use_auto: bool,
) -> Choice:
    """Return the registration that stands.

    Parameters
    ----------
    outcome
        Of the contest.
    right
        Names of the entrants that are right.
    given
        None if the place was to be searched for.
    corners_um
        (4, 2) corners of the region of the nuclei.
    use_auto
        Whether a place that was found stands in for a given one that is wrong.
    """
    automatic = outcome.entrants.get("automatic")
    if given is None:
        return Choice(automatic)
    if outcome.kept:
        is_moved = outcome.kept.name == "refined" and "given" not in right
        return Choice(outcome.kept, (_moved_words(given, outcome.kept),) if is_moved else ())
    found = automatic if "automatic" in right else None
    there = given.to_morphology(found.um_to_he) if found else None
    mistake = diagnose(
        given.he_to_morphology, given.readings(), there, corners_um, given.pixel_size_um
    )
    remarks = (mistake,) if mistake else ()
    if found and use_auto:
        words = "the alignment given is wrong, and the automatic one is used"
        return Choice(found, (words, *remarks), is_mended=True)
    if there:
        remarks = (*remarks, f"automatic registration finds {_in_words(there)}")
    return Choice(outcome.entrants["given"], remarks, is_mended=found is not None)


def _moved_words(given: Given, kept: Entrant) -> str:
    width, height = given.he_size_px
    corners_px = np.array([[0.0, 0], [width, 0], [width, height], [0, height]])
    before_um, after_um = (
        um_to_he.inverse().apply(corners_px) for um_to_he in (given.um_to_he, kept.um_to_he)
    )
    largest_um = float(np.hypot(*(after_um - before_um).T).max())
    return f"the alignment given was off by up to {largest_um:.0f} um, and was refined"


def _in_words(he_to_morphology: Affine) -> str:
    rows = he_to_morphology.matrix.round(6).tolist()
    return "the matrix " + "; ".join(", ".join(f"{value:g}" for value in row) for row in rows)
