"""A page tells of each verdict its number and its limit, and answers in one sentence."""

import pandas as pd
import pytest

from sthelar_build.core.summary import agreement, annotation
from sthelar_build.core.training_words import (
    annotation_line,
    registration_line,
    segmentation_line,
    training_answer,
)


def answer(alignment, labels, masks):
    return training_answer({"alignment": alignment, "labels": labels, "masks": masks})


def test_three_passes_are_a_yes():
    assert answer("pass", "pass", "pass") == (
        "pass",
        "Yes",
        "Yes: registration, annotation and segmentation all pass.",
    )


@pytest.mark.parametrize("others", ["pass", "warn"])
def test_a_failed_alignment_is_a_no_whatever_else_is_good(others):
    found = answer("fail", others, others)
    assert found.word == "No"
    assert "mend it first" in found.sentence


def test_every_reason_for_care_is_named():
    found = answer("warn", "warn", "unknown")
    assert (found.status, found.word) == ("warn", "With care")
    assert found.sentence == (
        "With care: the alignment is doubtful, too few labels rest on evidence and the masks were not compared "
        "with a segmentation."
    )


def test_one_reason_stands_alone():
    assert answer("pass", "pass", "warn").sentence == (
        "With care: too few patches agree with a segmentation."
    )


def test_the_registration_is_told_with_the_limits_that_were_recorded():
    line = registration_line("pass", 0.41, 1.9, (), {"warn_um": 2.0, "warn_p95_um": 6.0})
    assert line.word == "Pass"
    assert line.number == "0.41 µm median error, 1.90 µm at the 95th percentile"
    assert (
        line.limit == "Passes with a median of 2 µm or less and a 95th percentile of 6 µm or less"
    )


def test_what_was_not_measured_or_recorded_is_said_to_be():
    line = registration_line("fail", None, None, (), {})
    assert (line.word, line.number) == ("Fail", "Error not measured")
    assert line.limit == "The limit was not recorded"


def test_why_a_registration_with_a_small_error_is_doubtful_is_told():
    line = registration_line("warn", 0.01, 0.02, ("half of it lies on glass", "and more"), {})
    assert line.number.endswith("95th percentile; half of it lies on glass")


def test_labels_are_told_with_their_share():
    found = annotation(pd.DataFrame({"decided_by": ["markers", "neither"], "confidence": 1.0}))
    line = annotation_line("pass", found, 0.5)
    assert line.number.startswith("50.0 % of the cells")
    assert line.limit == "Passes from 50 % on"


def agreeing(*jaccard):
    metrics = pd.DataFrame({"Jaccard": jaccard, "Dice": 0.5, "bPQ": 0.5, "reason": "not_run"})
    return agreement(metrics, min_jaccard=0.45)


def test_masks_are_told_scale_by_scale():
    found = {"40x": agreeing(0.9, 0.1), "20x": agreeing(0.9)}
    line = segmentation_line("pass", found, 0.5, 0.45)
    assert line.number == "Patches that agree with a segmentation: 50.0 % at 40x, 100.0 % at 20x"
    assert line.limit == "Passes from 50 % on, with a Jaccard index of 0.45 or more"


def test_masks_that_nothing_was_compared_with_are_unmeasured():
    line = segmentation_line("unknown", {"40x": agreeing(None)}, 0.5, 0.45)
    assert (line.word, line.number) == ("Unmeasured", "Not compared with a segmentation")
