"""The odd slide is named with its measure, and few slides are not judged."""

import pytest

from sthelar_build.core.slide_outliers import MEASURES, slide_outliers

ALIKE = {
    "median_um": 0.4, "decided_share": 0.98, "mean_confidence": 0.93, "median_jaccard": 0.8,
    "kept_share": 0.95, "nuclei_per_patch": 40.0, "median_blur_um": 0.55,
}  # fmt: skip


def rows(n, **of_the_last):
    slides = [{**ALIKE, "name": f"s{i}", "median_jaccard": 0.8 + 0.01 * (i % 3)} for i in range(n)]
    slides[-1] |= of_the_last
    return slides


def found(slides, max_deviation=3.5, min_slides=5):
    return [(one.slide, one.key) for one in slide_outliers(slides, max_deviation, min_slides)]


def test_slides_that_are_alike_give_none():
    assert found(rows(8)) == []


def test_the_slide_whose_masks_disagree_is_named_and_told_in_words():
    (one,) = slide_outliers(rows(6, median_jaccard=0.41), 3.5, 5)
    assert (one.slide, one.key) == ("s5", "median_jaccard")
    # Of 0.80, 0.81, 0.82, 0.80, 0.81, 0.41 the median is 0.805, and the spread less than the least, 0.02.
    assert one.deviation == pytest.approx((0.41 - 0.805) / 0.02)
    assert one.words == (
        "median Jaccard index of the masks 0.41; the other 5 slides have 0.81 (0.80 to 0.82): "
        "19.8 robust standard deviations below"
    )


def test_the_farthest_comes_first():
    assert found(rows(6, median_jaccard=0.6, median_um=9.0)) == [
        ("s5", "median_um"),
        ("s5", "median_jaccard"),
    ]


def test_a_difference_below_what_matters_is_none_however_alike_the_others_are():
    assert found(rows(9, decided_share=0.93)) == []
    assert found(rows(9, decided_share=0.90)) == [("s8", "decided_share")]


def test_crowding_is_compared_by_how_many_times_as_much_it_is():
    assert found(rows(6, nuclei_per_patch=60.0)) == []
    assert found(rows(6, nuclei_per_patch=4.0)) == [("s5", "nuclei_per_patch")]


def test_of_fewer_than_five_none_is_called_odd():
    assert found(rows(4, median_jaccard=0.1)) == []
    assert found(rows(5, median_jaccard=0.1)) == [("s4", "median_jaccard")]


def test_slides_without_a_measure_do_not_count_among_those_compared():
    slides = rows(5, median_jaccard=0.1)
    slides[0]["median_jaccard"] = None
    assert found(slides) == []


@pytest.mark.parametrize("measure", MEASURES, ids=lambda one: one.key)
def test_a_missing_value_has_words(measure):
    assert measure.told(None) == "\N{EN DASH}"
    assert measure.told(0.5)
