"""The three verdicts on a slide in words: its number, its limit, and whether one may train on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sthelar_build.core.slide_verdicts import Status
from sthelar_build.core.summary import Agreement, Annotation
from sthelar_build.core.wording import number, percent

STATUS_WORDS: dict[Status, str] = {
    "pass": "Pass",
    "warn": "Warning",
    "fail": "Fail",
    "unknown": "Unmeasured",
}
_FAILS = (
    "the alignment failed, so masks and labels do not lie on the nuclei of the H&E: mend it first"
)
_TROUBLES = {
    "alignment": "the alignment is doubtful",
    "labels": "too few labels rest on evidence",
    "masks": "too few patches agree with a segmentation",
}
_NOT_MEASURED = {
    "alignment": "the alignment was not measured",
    "labels": "the labels were not measured",
    "masks": "the masks were not compared with a segmentation",
}


class VerdictLine(NamedTuple):
    """One verdict as a page shows it."""

    name: str
    question: str
    status: Status
    word: str
    number: str
    """The number that is judged, with its unit and what it is."""
    limit: str
    """From where on it passes."""


class Answer(NamedTuple):
    """What all three verdicts say together."""

    status: Status
    word: str
    """Yes, With care, or No."""
    sentence: str


def registration_line(
    status: Status,
    median_um: float | None,
    p95_um: float | None,
    reasons: Sequence[str],
    settings: Mapping[str, Any],
) -> VerdictLine:
    """Return the verdict on the registration.

    The first of the ``reasons`` is told, as the error alone may be small and all else wrong. ``settings`` are those that
    ``register`` recorded; files that lack them leave the limits unsaid.
    """
    found = "Error not measured"
    if median_um is not None:
        found = f"{number(median_um)} µm median error, {number(p95_um)} µm at the 95th percentile"
    found = "; ".join([found, *reasons[:1]])
    named = (("warn_um", "median"), ("warn_p95_um", "95th percentile"))
    limits = [f"{what} of {settings[key]:g} µm or less" for key, what in named if settings.get(key)]
    limit = f"Passes with a {' and a '.join(limits)}" if limits else "The limit was not recorded"
    return _line("alignment", "Registration: is it aligned?", status, found, limit)


def annotation_line(status: Status, found: Annotation, min_decided: float) -> VerdictLine:
    """Return the verdict on the labels."""
    return _line(
        "labels",
        "Annotation: are the labels right?",
        status,
        f"{percent(found.decided_share)} of the cells with enough transcripts are labelled on evidence",
        f"Passes from {100 * min_decided:g} % on",
    )


def segmentation_line(
    status: Status, found: Mapping[str, Agreement], min_kept: float, min_jaccard: float
) -> VerdictLine:
    """Return the verdict on the masks; ``found`` is the agreement by scale."""
    shares = [
        f"{percent(one.kept_share)} at {name}" for name, one in found.items() if one.n_measured
    ]
    says = (
        f"Patches that agree with a segmentation: {', '.join(shares)}"
        if shares
        else "Not compared with a segmentation"
    )
    limit = f"Passes from {100 * min_kept:g} % on, with a Jaccard index of {number(min_jaccard)} or more"
    return _line("masks", "Segmentation: are the masks good?", status, says, limit)


def training_answer(verdicts: Mapping[str, Status]) -> Answer:
    """Say in one sentence whether one may train on the slide.

    ``verdicts`` are those on ``alignment``, ``labels`` and ``masks``. A failed alignment forbids it; all three passed
    allow it; else care is asked for, and every reason is named.
    """
    if verdicts["alignment"] == "fail":
        return Answer("fail", "No", f"No: {_FAILS}.")
    reasons = [
        (_NOT_MEASURED if verdicts[name] == "unknown" else _TROUBLES)[name]
        for name in _TROUBLES
        if verdicts[name] != "pass"
    ]
    if not reasons:
        return Answer("pass", "Yes", "Yes: registration, annotation and segmentation all pass.")
    return Answer("warn", "With care", f"With care: {_listed(reasons)}.")


def _line(name: str, question: str, status: Status, found: str, limit: str) -> VerdictLine:
    return VerdictLine(name, question, status, STATUS_WORDS[status], found, limit)


def _listed(reasons: Sequence[str]) -> str:
    """Join with commas and a last and."""
    *others, last = reasons
    return f"{', '.join(others)} and {last}" if others else last
