"""What makes a registration doubtful or wrong."""

from dataclasses import replace

import pytest

from sthelar_build.core.matrix_facts import MatrixFacts
from sthelar_build.core.quality import FieldFacts, Findings, MatchedFacts
from sthelar_build.core.verdict import Limits, chance, is_right, judge
from sthelar_build.settings.register import RegisterSettings

LIMITS = RegisterSettings().part(Limits)
FIELD = FieldFacts(
    n_tiles=110,
    n_measured=90,
    n_flat=10,
    n_no_tissue=2,
    n_agreeing=88,
    n_coherent=88,
    median_um=0.5,
    p95_um=1.5,
    decay=(0.6, 0.5, 0.4, 0.1, 0.0),
)
GOOD = Findings(
    field=FIELD,
    matched=MatchedFacts(3000, 2400, 0.8, 2.0),
    matrix=MatrixFacts(90, False, 1.001, 0.1, 0.25),
    inside=1.0,
    on_tissue=0.95,
    stated_um_per_px=0.26,
    keypoints_um=(1.0, 2.0),
)


def changed(**changes):
    """Change ``GOOD`` by the names of its parts' fields."""
    found = GOOD
    for name, value in changes.items():
        part = next((p for p in ("field", "matrix") if hasattr(getattr(GOOD, p), name)), None)
        if part:
            found = replace(found, **{part: replace(getattr(found, part), **{name: value})})
        else:
            found = replace(found, **{name: value})
    return found


def small(n_measured, n_agreeing, n_coherent=None, n_flat=0):
    return changed(
        n_measured=n_measured,
        n_agreeing=n_agreeing,
        n_coherent=n_agreeing if n_coherent is None else n_coherent,
        n_flat=n_flat,
    )


def test_a_good_registration_passes_without_a_word():
    assert judge(GOOD, LIMITS) == ("pass", ())


@pytest.mark.parametrize(
    ("change", "verdict", "words"),
    [
        ({"median_um": 2.5}, "warn", "2.5 um from the haematoxylin"),
        ({"median_um": 5.5}, "fail", "5.5 um from the haematoxylin"),
        ({"p95_um": 7.0}, "warn", "5 % of the tiles"),
        (
            {"n_agreeing": 30, "n_coherent": 30},
            "fail",
            "30 of 90 tiles agree on where the nuclei belong: the section is",
        ),
        ({"n_agreeing": 50}, "warn", "only 56% of the measured tiles are within 2 um"),
        ({"inside": 0.05}, "fail", "only 5% of the nuclei fall on the H&E"),
        ({"inside": 0.4}, "warn", "40% of the nuclei fall on the H&E"),
        ({"on_tissue": 0.1}, "fail", "only 10% of the nuclei on the H&E fall on tissue"),
        ({"on_tissue": 0.4}, "warn", "40% of the nuclei on the H&E fall on tissue"),
        ({"n_measured": 9, "n_agreeing": 9, "n_flat": 91}, "fail", "in only 9 of 100 tiles"),
        (
            {"n_measured": 0, "n_flat": 0, "median_um": None, "p95_um": None, "decay": None},
            "fail",
            "no tile has enough nuclei",
        ),
        ({"decay": (0.1, 0.1, 0.1, 0.1, 0.12)}, "fail", "fit the haematoxylin as well"),
        (
            {"stated_um_per_px": 0.5},
            "warn",
            "states 0.5000 um per pixel, the alignment gives 0.2500",
        ),
        ({"stated_um_per_px": 0.2}, "warn", "states 0.2000"),
        ({"anisotropy": 1.08}, "warn", "stretches the H&E by 8% more one way"),
        ({"shear_deg": 4.2}, "warn", "shears the H&E by 4.2 degrees"),
        ({"rejected_um": (54.0,)}, "warn", "1 keypoints disagree with the others"),
        ({"keypoints_um": (1.0, 9.0)}, "warn", "1 keypoints lie more than 5 um"),
    ],
)
def test_every_flaw_has_its_verdict_and_its_words(change, verdict, words):
    found, reasons = judge(changed(**change), LIMITS)
    assert found == verdict
    assert len(reasons) == 1
    assert words in reasons[0]


def test_random_shifts_are_those_of_a_wrong_place():
    random = changed(n_agreeing=3, n_coherent=5, median_um=7.6, p95_um=12)
    verdict, reasons = judge(random, LIMITS)
    assert verdict == "fail"
    assert "only 5 of 90 tiles agree" in reasons[0]
    assert "the place is wrong" in reasons[0]


def test_a_tag_that_is_off_by_ten_percent_is_believed():
    assert judge(changed(stated_um_per_px=0.25 * 0.9), LIMITS)[0] == "pass"
    assert judge(changed(stated_um_per_px=None), LIMITS)[0] == "pass"


def test_poor_tissue_under_a_right_matrix_does_not_fail():
    poor = changed(n_measured=30, n_flat=70, n_agreeing=24, n_coherent=24, on_tissue=0.45)
    assert judge(poor, LIMITS)[0] == "warn"


def test_all_tiles_that_need_the_same_small_shift_warn_only():
    shifted = changed(n_agreeing=0, n_coherent=88, median_um=3.4)
    verdict, reasons = judge(shifted, LIMITS)
    assert verdict == "warn"
    assert len(reasons) == 1


@pytest.mark.parametrize(
    ("n_measured", "n_agreeing", "n_coherent", "verdict"),
    [
        (2, 2, 2, "pass"),
        (4, 4, 4, "pass"),
        (4, 3, 3, "pass"),
        (30, 30, 30, "pass"),
        (1, 1, 1, "fail"),
        (4, 0, 1, "fail"),
        (4, 1, 2, "fail"),
        (5, 0, 2, "fail"),
        (30, 2, 3, "fail"),
    ],
)
def test_a_slide_of_few_tiles_passes_only_when_chance_cannot_explain_it(
    n_measured, n_agreeing, n_coherent, verdict
):
    assert judge(small(n_measured, n_agreeing, n_coherent), LIMITS)[0] == verdict


def test_the_chance_of_one_tile_is_the_share_of_the_search_that_agrees():
    assert chance(small(1, 1).field, LIMITS) == pytest.approx(0.0314, abs=1e-4)
    assert chance(small(2, 2).field, LIMITS) == pytest.approx(0.0314**2, abs=1e-5)
    assert chance(small(1, 0).field, LIMITS) == 1


def test_all_flaws_are_named_the_gravest_first():
    found = changed(inside=0.01, median_um=9.0, stated_um_per_px=1.0)
    verdict, reasons = judge(found, LIMITS)
    assert verdict == "fail"
    assert [reason.split()[0] for reason in reasons] == ["only", "nuclei", "the"]


def test_tiles_alone_tell_the_right_place_from_a_wrong_one():
    assert is_right(GOOD.field, LIMITS)
    assert is_right(small(4, 4).field, LIMITS)
    assert not is_right(small(30, 2, 3).field, LIMITS)
    assert not is_right(changed(median_um=6).field, LIMITS)
