"""Four questions, and the answer to each: slides, leaks, classes, and whether they are alike."""

import pytest

from sthelar_build.core.dataset_verdicts import dataset_verdicts
from sthelar_build.core.slide_outliers import Outlier

AUDIT = dict.fromkeys(
    ("shared_pixels", "patches_sharing_pixels", "shared_nuclei", "shared_slides", "shared_patients"), 0
)  # fmt: skip


def slide(name="s", alignment="pass", masks="pass", overall="pass", train=5):
    verdicts = {"alignment": alignment, "labels": "pass", "masks": masks, "overall": overall}
    return {"name": name, "verdicts": verdicts, "splits": {"train": train, "valid": 0, "test": 0}}


def one_class(name="T_NK", cells=9, train=3, valid=2, test=1, rarest=False):
    splits = {"train": train, "valid": valid, "test": test}
    return {"name": name, "cells": cells, "splits": splits, "rarest": rarest}


def answers(slides=None, classes=None, outliers=(), flags=(), **audit):
    slides = slides or [slide(f"s{i}") for i in range(5)]
    split = {"audit": AUDIT | audit}
    return dataset_verdicts(slides, split, classes or [one_class()], outliers, flags, 5)


def said(answer):
    return answer.status, answer.answer, answer.words


def test_a_dataset_without_a_flaw_passes_every_question():
    assert [one.status for one in answers()] == ["pass"] * 4
    assert answers()[0].words == "Alignment, labels and masks of all are good."


def test_a_slide_that_needs_care_is_named_with_what_is_wrong():
    slides = [slide("a"), slide("b", masks="warn", overall="warn")]
    assert said(answers(slides)[0]) == ("warn", "On 1 of 2", "With care: b (masks).")


@pytest.mark.parametrize(
    ("train", "expected"),
    [
        (0, ("warn", "On 1 of 2", "Not: b (alignment). What failed is in no split.")),
        (7, ("fail", "On 1 of 2", "Not: b (alignment).")),
    ],
)
def test_a_failed_slide_fails_the_dataset_only_if_its_patches_are_used(train, expected):
    slides = [slide("a"), slide("b", alignment="fail", overall="fail", train=train)]
    assert said(answers(slides)[0]) == expected


def test_many_names_are_cut_short():
    slides = [slide(f"s{i}", masks="warn", overall="warn") for i in range(9)]
    assert answers(slides)[0].words.endswith("s3 (masks) and 5 more.")


def test_a_leak_fails_and_shared_patients_warn():
    assert said(answers(shared_nuclei=12)[1]) == (
        "fail", "Yes", "0 pixels and 12 nuclei are in two splits: scores on test are too good.",
    )  # fmt: skip
    shared = answers(shared_patients=1)[1]
    assert (shared.status, shared.answer) == ("warn", "No, but patients are shared")
    assert "1 patient has patches in two splits" in shared.words


def test_a_class_that_a_split_lacks_is_named():
    classes = [
        one_class(),
        one_class("Melanocyte", test=0, rarest=True),
        one_class("Other", 0, 0, 0, 0),
    ]
    assert said(answers(classes=classes)[2]) == (
        "warn",
        "1 of 3 in every split",
        "None of Melanocyte in test. No slide has Other. The rarest is Melanocyte.",
    )


def test_slides_that_stand_out_and_classes_that_do_are_told():
    odd = Outlier("b", "median_um", 9.0, "far")
    assert said(answers(outliers=[odd, odd])[3])[:2] == ("warn", "1 of 5")
    assert said(answers(flags=["T_NK of b"])[3])[:2] == ("warn", "1 class of a slide")


def test_few_slides_are_not_judged():
    assert said(answers([slide("a"), slide("b")])[3])[:2] == ("unknown", "Too few to tell")
