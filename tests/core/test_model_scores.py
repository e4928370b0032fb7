"""Predictions equal to the truth score full marks; each kind of mistake lowers what it should, and nothing else."""

import numpy as np
import pytest

from sthelar_build.core.model_scores import SeenPatch, TruePatch, recoded, score_patch
from sthelar_build.core.patches import type_map
from sthelar_build.core.predicted_maps import UNASSIGNED, PredictedNuclei, PredictedPatch, nuclei_of

N_CODES = 4
CLASSES = np.array([1, 2, 2], dtype=np.uint8)


def drawn():
    """Three nuclei of 5 x 5 px."""
    dense = np.zeros((32, 32), dtype=np.int32)
    for number, (row, column) in enumerate([(2, 2), (2, 20), (20, 10)], start=1):
        dense[row : row + 5, column : column + 5] = number
    return dense


def seen(instances, codes_of, types):
    nuclei = nuclei_of(instances.astype(np.uint32))
    typed = PredictedNuclei(
        nuclei.ids, nuclei.bbox, nuclei.centroid_px, np.asarray(codes_of, np.uint8), None
    )
    return SeenPatch(PredictedPatch(7, instances.astype(np.uint32), typed), types)


def score(predicted, codes_of, types=None, true=None, classes=CLASSES):
    true = drawn() if true is None else true
    if types is None:
        types = type_map(predicted.astype(np.int32), np.asarray(codes_of, np.uint8))
    return score_patch(TruePatch(7, true, classes), seen(predicted, codes_of, types), N_CODES, 12)


def test_the_truth_scores_full_marks():
    found = score(drawn(), CLASSES)
    assert (found.patch_id, found.agreement.dice, found.agreement.jaccard) == (7, 1, 1)
    assert found.agreement.bpq == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(found.pq, [np.nan, 1, 1, np.nan], atol=1e-5)
    assert found.mpq == pytest.approx(1, abs=1e-5)
    assert found.detection.scores() == (1, 1, 1)
    assert [one.f1 for one in found.detection.scores_by_type()[1:3]] == [1, 1]
    assert found.votes.tolist() == [[0, 25, 0, 0], [0, 0, 25, 0], [0, 0, 25, 0]]
    assert found.seen_px.tolist() == [25, 25, 25]


def test_swapped_classes_leave_the_outlines_good_and_every_class_bad():
    found = score(drawn(), 3 - CLASSES)
    assert found.agreement.bpq == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(found.pq[1:3], [0, 0])
    assert found.detection.scores() == (1, 1, 1)
    assert [one.f1 for one in found.detection.scores_by_type()[1:3]] == [0, 0]
    assert found.votes.argmax(axis=1).tolist() == [2, 1, 1]


def test_a_missed_nucleus_lowers_its_class_alone():
    predicted = np.where(drawn() == 3, 0, drawn())
    found = score(predicted, CLASSES[:2])
    assert found.detection.scores() == (1, pytest.approx(2 / 3), 0.8)
    np.testing.assert_allclose(found.pq[1:3], [1, 1 / 1.5], atol=1e-5)
    assert found.votes[2].tolist() == [25, 0, 0, 0]
    assert found.seen_px.tolist() == [25, 25, 0]


def test_the_type_map_votes_where_the_network_sees_no_nucleus_too():
    types = np.full((32, 32), 3, dtype=np.uint8)
    found = score(np.zeros((32, 32)), [], types)
    assert found.votes.tolist() == [[0, 0, 0, 25]] * 3
    assert found.detection.scores().recall == 0
    assert found.agreement.bpq == 0


def test_nuclei_of_the_background_type_count_as_pixels_but_not_as_nuclei():
    found = score(drawn(), [1, 2, 0])
    assert found.agreement.dice == 1
    assert found.agreement.bpq == pytest.approx(2 / 2.5, abs=1e-5)


def test_pixels_of_no_instance_are_foreground_of_no_nucleus():
    predicted = drawn().astype(np.uint32)
    predicted[predicted == 3] = UNASSIGNED
    nuclei = nuclei_of(np.where(predicted == UNASSIGNED, 0, predicted).astype(np.uint32))
    typed = nuclei._replace(type_index=CLASSES[:2])
    types = type_map(drawn(), CLASSES)
    one = SeenPatch(PredictedPatch(7, predicted, typed), types)
    found = score_patch(TruePatch(7, drawn(), CLASSES), one, N_CODES, 12)
    assert found.agreement.dice == 1
    assert found.detection.fn == 1
    assert found.seen_px.tolist() == [25, 25, 25]


def test_a_patch_without_truth_counts_what_is_found_as_spurious():
    nothing = np.zeros((32, 32), dtype=np.int32)
    found = score(drawn(), CLASSES, true=nothing, classes=CLASSES[:0])
    assert (found.detection.tp, found.detection.fp, found.detection.fn) == (0, 3, 0)
    assert np.isnan(found.mpq)
    assert found.votes.shape == (0, N_CODES)


def test_types_of_the_network_become_codes():
    codes = np.array([0, 3, 1], dtype=np.uint8)
    one = seen(drawn(), [2, 1, 1], np.full((32, 32), 2, np.uint8))
    found = recoded(one.nuclei, one.types, codes)
    assert found.nuclei.nuclei.type_index.tolist() == [1, 3, 3]
    assert (found.types == 1).all()
