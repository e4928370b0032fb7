"""A dataset at a glance: four questions, each with its answer, and what the answer rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sthelar_build.core.leaks import LeakAudit
from sthelar_build.core.slide_outliers import Outlier
from sthelar_build.core.slide_verdicts import Status
from sthelar_build.core.wording import count


@dataclass(frozen=True)
class Answer:
    """What a page says at its top."""

    question: str
    status: Status
    answer: str
    words: str


def dataset_verdicts(
    slides: Sequence[Mapping[str, Any]],
    split: Mapping[str, Any],
    classes: Sequence[Mapping[str, Any]],
    outliers: Sequence[Outlier],
    flags: Sequence[str],
    min_slides: int,
) -> list[Answer]:
    """Return the answers of a dataset.

    Parameters
    ----------
    slides
        Rows of ``slide_row``.
    split, classes
        As in ``facts.json``.
    outliers, flags
        Slides that stand out by a measure; classes that look unlike their siblings, in words.
    min_slides
        How many slides it takes to judge outliers.
    """
    return [
        _slides(slides),
        _leaks(split),
        _classes(classes),
        _alike(len(slides), outliers, flags, min_slides),
    ]


def _slides(slides: Sequence[Mapping[str, Any]]) -> Answer:
    by_verdict: dict[str, list[str]] = {"pass": [], "warn": [], "fail": []}
    for slide in slides:
        by_verdict[slide["verdicts"]["overall"]].append(_with_doubts(slide))
    n, good = len(slides), len(by_verdict["pass"])
    failed = [slide for slide in slides if slide["verdicts"]["overall"] == "fail"]
    used = any(any(slide["splits"].values()) for slide in failed)
    words = [
        f"{what}: {_few(by_verdict[status])}."
        for status, what in (("fail", "Not"), ("warn", "With care"))
        if by_verdict[status]
    ]
    if failed and not used:
        words.append("What failed is in no split.")
    return Answer(
        "May I train on the slides?",
        "fail" if used else "pass" if good == n else "warn",
        "Yes" if good == n else f"On {good} of {n}",
        " ".join(words) or "Alignment, labels and masks of all are good.",
    )


def _with_doubts(slide: Mapping[str, Any]) -> str:
    """Return the name of a slide, and what of it is not good."""
    doubts = [
        what for what in ("alignment", "labels", "masks") if slide["verdicts"][what] != "pass"
    ]
    return f"{slide['name']} ({', '.join(doubts)})" if doubts else str(slide["name"])


def _leaks(split: Mapping[str, Any]) -> Answer:
    audit = LeakAudit(**split["audit"])
    question = "Do the splits leak?"
    shared = f"{count(audit.shared_pixels)} pixels and {count(audit.shared_nuclei)} nuclei are in two splits"
    if audit.shared_pixels or audit.shared_nuclei:
        return Answer(question, "fail", "Yes", f"{shared}: scores on test are too good.")
    nothing = "No pixel and no nucleus is in two splits."
    if audit.shared_patients:
        patients = (
            "1 patient has"
            if audit.shared_patients == 1
            else f"{audit.shared_patients} patients have"
        )
        return Answer(
            question,
            "warn",
            "No, but patients are shared",
            f"{nothing} {patients} patches in two splits: test says little about a new patient.",
        )
    return Answer(question, "pass", "No", f"{nothing} No patient is, either.")


def _classes(classes: Sequence[Mapping[str, Any]]) -> Answer:
    known = [one for one in classes if one["cells"]]
    lacking = [
        f"{one['name']} in {split}" for one in known for split, n in one["splits"].items() if not n
    ]
    absent = [str(one["name"]) for one in classes if not one["cells"]]
    rarest = [f"The rarest is {one['name']}." for one in classes if one["rarest"]]
    words = [f"None of {_few(lacking)}."] if lacking else []
    words += [f"No slide has {_few(absent)}."] if absent else []
    whole = len(known) - len({text.rpartition(" in ")[0] for text in lacking})
    return Answer(
        "Is every class there?",
        "warn" if lacking or absent else "pass",
        f"{whole} of {len(classes)} in every split",
        " ".join(words + rarest),
    )


def _alike(
    n_slides: int, outliers: Sequence[Outlier], flags: Sequence[str], min_slides: int
) -> Answer:
    question = "Is a slide unlike the others?"
    strange = sorted({one.slide for one in outliers})
    if strange:
        answer = f"{len(strange)} of {n_slides}"
        return Answer(question, "warn", answer, f"{_few(strange)}: see how far, and by what.")
    if flags:
        n = len(flags)
        classes = f"{n} class{'es' if n > 1 else ''} of a slide"
        return Answer(question, "warn", classes, "By composition or markers: see below.")
    if n_slides < min_slides:
        words = (
            f"It takes {min_slides} slides to call one the odd one; they stand side by side below."
        )
        return Answer(question, "unknown", "Too few to tell", words)
    return Answer(question, "pass", "None", "By alignment, labels, masks, crowding and blur.")


def _few(names: Sequence[str], most: int = 4) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
