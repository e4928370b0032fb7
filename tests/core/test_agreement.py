"""Dice, Jaccard and bPQ: equal to the oracle, and right on maps that can be read by eye."""

from pathlib import Path

import numpy as np
import pytest

from sthelar_build.core.agreement import agreement, panoptic_quality

REPOSITORY = Path(__file__).parents[2]
COMPACT = REPOSITORY / "tests" / "data" / "agreement_cases.npz"
WHOLE = REPOSITORY.parent / "shared" / "data" / "cellvit" / "metric_cases.npz"


@pytest.mark.parametrize("oracle", [COMPACT, WHOLE], ids=["compact", "whole"])
def test_every_case_of_the_oracle_is_equal_to_the_last_bit(oracle):
    if not oracle.is_file():
        pytest.skip("the whole oracle is not here")
    with np.load(oracle) as cases:
        expected = {name: cases[name] for name in cases.files}
    found = [agreement(*maps) for maps in zip(expected["true"], expected["pred"], strict=True)]
    for name in ("dice", "jaccard", "bpq"):
        np.testing.assert_array_equal([getattr(case, name) for case in found], expected[name])
    np.testing.assert_array_equal([case.n_true for case in found], expected["n_true"])
    np.testing.assert_array_equal([case.n_predicted for case in found], expected["n_pred"])


def test_the_compact_oracle_has_every_kind_of_case():
    with np.load(COMPACT) as cases:
        assert len(np.unique(cases["kind"])) == 16
        assert len(cases["true"]) >= 40


def test_pixels_are_counted_over_the_foreground_only():
    true = np.array([[1, 1, 0, 0]])
    predicted = np.array([[0, 7, 7, 0]])
    found = agreement(true, predicted)
    assert found.dice == 0.5
    assert found.jaccard == float(np.float32(1 / 3))


def test_an_iou_of_one_half_is_no_match_and_just_more_is_one():
    true = np.array([[1, 1, 1, 0, 0, 0]])
    half = np.array([[5, 5, 5, 5, 5, 5]])
    more = np.array([[5, 5, 5, 5, 5, 0]])
    assert agreement(true, half).bpq == 0
    assert agreement(true, more).bpq == pytest.approx(0.6, abs=1e-5)


def test_one_perfect_nucleus_scores_just_below_one():
    only = np.array([[0, 3]])
    assert agreement(only, only).bpq == pytest.approx((1 / (1 + 1e-6)) ** 2, abs=1e-15)


def test_nothing_on_either_side_has_no_jaccard_and_no_bpq_but_a_dice_of_zero():
    nothing = np.zeros((4, 4), dtype=np.uint32)
    found = agreement(nothing, nothing)
    assert found.dice == 0
    assert np.isnan(found.jaccard)
    assert np.isnan(found.bpq)


def test_one_nucleus_on_every_pixel_has_no_bpq_and_two_do():
    full = np.full((4, 4), 9, dtype=np.uint32)
    halves = np.repeat(np.array([[1, 2]], dtype=np.uint32), 4, axis=1).repeat(4, axis=0)
    assert np.isnan(agreement(full, full).bpq)
    assert agreement(full, full).dice == 1
    assert agreement(halves, halves).bpq == pytest.approx((2 / (2 + 1e-6)) ** 2, abs=1e-12)
    assert agreement(halves, halves).n_true == 2


def test_ids_may_be_huge_and_far_apart():
    small = np.array([[0, 1, 1, 2, 2, 0]], dtype=np.uint32)
    huge = np.array([[0, 0xFFFFFFFF, 0xFFFFFFFF, 7, 7, 0]], dtype=np.uint32)
    assert agreement(small, huge) == agreement(small, small)


def test_maps_without_a_pixel_are_as_maps_without_a_nucleus():
    found = agreement(np.zeros((0, 5), int), np.zeros((0, 5), int))
    assert found.dice == found.n_true == found.n_predicted == 0
    assert np.isnan(found.bpq)


def test_maps_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        agreement(np.zeros((2, 2), int), np.zeros((2, 3), int))


def test_every_missed_or_spurious_nucleus_costs_half_a_match():
    assert panoptic_quality(np.array([1.0]), 2, 2).pq == pytest.approx(0.5, abs=1e-5)


def test_quality_is_that_of_detection_times_that_of_the_outlines():
    found = panoptic_quality(np.array([0.6, 0.8]), 3, 2)
    assert found.dq == pytest.approx(2 / 2.5, abs=1e-5)
    assert found.sq == pytest.approx(0.7, abs=1e-5)
    assert found.pq == found.dq * found.sq


def test_pixels_may_come_from_the_network_and_instances_from_the_watershed():
    true = np.array([[1, 1, 0, 0]])
    instances = np.array([[0, 0, 0, 3]])
    network = np.array([[1, 1, 0, 0]], dtype=bool)
    found = agreement(true, instances, network)
    assert (found.dice, found.jaccard) == (1, 1)
    assert found.bpq == 0
    assert (found.n_true, found.n_predicted) == (1, 1)


def test_qualities_of_both_kinds_are_in_the_oracle(shared_data):
    with np.load(shared_data / "cellvit" / "metric_cases.npz") as cases:
        expected = {name: cases[name] for name in ("true", "pred", "bdq", "bsq")}
    found = [agreement(*maps) for maps in zip(expected["true"], expected["pred"], strict=True)]
    np.testing.assert_array_equal([case.bdq for case in found], expected["bdq"])
    np.testing.assert_array_equal([case.bsq for case in found], expected["bsq"])
