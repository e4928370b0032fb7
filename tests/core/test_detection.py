"""Centres matched one to one."""

import numpy as np
import pytest

from sthelar_build.core.detection import RADIUS_PX, Centres, DetectionCounts, detect
from sthelar_build.core.instance_entries import instance_entries


def centres(*nuclei):
    """From (x, y, type) of each."""
    table = np.array(nuclei, dtype=float).reshape(-1, 3)
    return Centres(table[:, :2], table[:, 2].astype(np.int64))


def counted(found):
    return found.tp, found.fp, found.fn


@pytest.mark.parametrize("magnification", [40, 20])
def test_every_case_of_the_oracle_is_equal(shared_data, magnification):
    radius = RADIUS_PX[magnification]
    with np.load(shared_data / "cellvit" / "metric_cases_types.npz") as cases:
        names = ("true_remapped", "true_type", "pred_remapped", "pred_type")
        maps = list(zip(*(cases[name] for name in names), strict=True))
        expected = np.stack([cases[f"det_{n}{radius:.0f}"] for n in ("tp", "fp", "fn")], axis=1)
    for (true, true_types, predicted, predicted_types), counts in zip(maps, expected, strict=True):
        sides = (found(true, true_types), found(predicted, predicted_types))
        assert counted(detect(*sides, radius, 6, fake_objects=True)) == tuple(counts)


def found(instances, types):
    known = instance_entries(instances, types)
    return Centres(known.centroid_px, known.type_index)


def test_a_pair_as_far_apart_as_the_radius_counts_and_a_farther_one_does_not():
    assert counted(detect(centres((0, 0, 1)), centres((0, 12, 1)), 12, 2)) == (1, 0, 0)
    assert counted(detect(centres((0, 0, 1)), centres((0, 12.01, 1)), 12, 2)) == (0, 1, 1)


def test_the_cut_comes_after_the_assignment():
    # The sum of distances is least for the pairs 0-9 and 10-21, of which the second is cut at 10; 10-9 would be near.
    true, predicted = centres((0, 0, 1), (10, 0, 1)), centres((9, 0, 1), (21, 0, 1))
    assert counted(detect(true, predicted, 10, 2)) == (1, 1, 1)


def test_an_empty_side_misses_or_invents_every_nucleus():
    two = centres((5, 5, 1), (9, 9, 2))
    assert counted(detect(two, centres(), 12, 3)) == (0, 0, 2)
    assert counted(detect(centres(), two, 12, 3)) == (0, 2, 0)
    assert counted(detect(centres(), centres(), 12, 3)) == (0, 0, 0)


def test_the_fake_objects_of_the_original_lie_in_the_corner():
    near, far = centres((3, 4, 1)), centres((50, 50, 1))
    assert counted(detect(centres(), centres(), 12, 2, fake_objects=True)) == (1, 0, 0)
    assert counted(detect(centres(), near, 12, 2, fake_objects=True)) == (1, 0, 0)
    assert counted(detect(centres(), far, 12, 2, fake_objects=True)) == (0, 1, 1)
    assert counted(detect(far, centres(), 12, 2, fake_objects=True)) == (0, 1, 1)
    assert counted(detect(far, far, 12, 2, fake_objects=True)) == (1, 0, 0)


def test_types_are_counted_over_pairs_and_over_what_has_no_partner():
    true = centres((0, 0, 1), (20, 0, 1), (40, 0, 2), (90, 90, 2))
    predicted = centres((0, 1, 1), (20, 1, 2), (40, 1, 2), (0, 60, 1))
    found = detect(true, predicted, 5, 3)
    assert counted(found) == (3, 1, 1)
    assert found.both.tolist() == [0, 1, 1]
    assert found.only_true.tolist() == [0, 1, 0]
    assert found.only_predicted.tolist() == [0, 0, 1]
    assert found.spurious.tolist() == [0, 1, 0]
    assert found.missed.tolist() == [0, 0, 1]


def test_a_pair_of_two_types_weighs_twice_in_the_scores_of_a_type():
    true = centres((0, 0, 1), (20, 0, 1), (40, 0, 2), (90, 90, 2))
    predicted = centres((0, 1, 1), (20, 1, 2), (40, 1, 2), (0, 60, 1))
    of_0, of_1, of_2 = detect(true, predicted, 5, 3).scores_by_type()
    assert np.isnan(of_0).all()
    assert of_1 == (1 / 2, 1 / 3, 2 / 5)
    assert of_2 == (1 / 3, 1 / 2, 2 / 5)


def test_scores_come_from_the_counts_of_all_patches():
    one = detect(centres((0, 0, 0)), centres((0, 0, 0), (9, 9, 0)), 2, 1)
    other = detect(centres((0, 0, 0)), centres(), 2, 1)
    whole = DetectionCounts.none(1) + one + other
    assert whole.scores() == (1 / 2, 1 / 2, 1 / 2)
    assert np.isnan(DetectionCounts.none(1).scores()).all()
    assert (whole.missed.tolist(), whole.spurious.tolist()) == ([1], [1])
