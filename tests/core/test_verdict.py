"""What makes a registration doubtful or wrong."""

from dataclasses import replace

import pytest

from sthelar_build.core.verdict import Findings, Limits, judge

LIMITS = Limits(
    warn_um=2, fail_um=5, warn_p95_um=6, min_measured=0.2, min_inside=0.5, max_size_mismatch=0.1
)
GOOD = Findings(
    median_um=0.5,
    p95_um=1.5,
    n_measured=90,
    n_flat=10,
    inside=1.0,
    he_um_per_px=0.25,
    stated_um_per_px=0.26,
    keypoints_um=(1.0, 2.0),
)


def test_a_good_registration_passes_without_a_word():
    assert judge(GOOD, LIMITS) == ("pass", ())


@pytest.mark.parametrize(
    ("change", "verdict", "words"),
    [
        ({"median_um": 2.5}, "warn", "2.5 um from the haematoxylin"),
        ({"median_um": 5.5}, "fail", "5.5 um from the haematoxylin"),
        ({"p95_um": 7.0}, "warn", "5 % of the tiles"),
        ({"inside": 0.4}, "fail", "only 40% of the nuclei fall on the H&E"),
        ({"n_measured": 10, "n_flat": 90}, "fail", "in only 10 of 100 tiles"),
        (
            {"n_measured": 0, "n_flat": 0, "median_um": None, "p95_um": None},
            "fail",
            "no tile has enough nuclei",
        ),
        (
            {"stated_um_per_px": 0.5},
            "warn",
            "states 0.5000 um per pixel, the alignment gives 0.2500",
        ),
        ({"stated_um_per_px": 0.22}, "warn", "states 0.2200"),
        ({"rejected_um": (54.0,)}, "warn", "1 keypoints disagree with the others"),
        ({"keypoints_um": (1.0, 9.0)}, "warn", "1 keypoints lie more than 5 um"),
    ],
)
def test_every_flaw_has_its_verdict_and_its_words(change, verdict, words):
    found, reasons = judge(replace(GOOD, **change), LIMITS)
    assert found == verdict
    assert len(reasons) == 1
    assert words in reasons[0]


def test_without_a_stated_size_there_is_nothing_to_compare():
    assert judge(replace(GOOD, stated_um_per_px=None), LIMITS)[0] == "pass"


def test_all_flaws_are_named_the_gravest_first():
    found = replace(GOOD, inside=0.1, median_um=9.0, stated_um_per_px=1.0)
    verdict, reasons = judge(found, LIMITS)
    assert verdict == "fail"
    assert [reason.split()[0] for reason in reasons] == ["only", "nuclei", "the"]
