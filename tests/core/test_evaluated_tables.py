"""Tables of an evaluation: votes become rows, patches become rows, both are told by split."""

import numpy as np
import pandas as pd
import pytest

from sthelar_build.core.agreement import Agreement
from sthelar_build.core.detection import DetectionCounts
from sthelar_build.core.evaluated_tables import (
    nucleus_frame,
    parts_of,
    patch_frame,
    patch_row,
    pq_columns,
    split_rank,
    split_word,
)
from sthelar_build.core.model_classes import match_classes
from sthelar_build.core.model_scores import PatchScores
from sthelar_build.core.nucleus_votes import SlideVotes

CLASSES = match_classes({"Background": 0, "cancer_cell": 1, "normal_cell": 2})
NAN = np.nan


def scores(dice, bpq, n_true, pq):
    none = DetectionCounts.none(4)
    counts = DetectionCounts(1, 2, 0, *(getattr(none, name) for name in ("both",) * 5))
    found = Agreement(dice, dice, bpq, n_true, 0)
    return PatchScores(5, found, np.array(pq), counts, np.zeros((0, 4)), np.zeros(0))


def test_a_patch_keeps_its_metrics_and_a_column_for_every_class():
    frame = patch_frame([patch_row("test", scores(0.8, 0.6, 2, [NAN, 0.5, NAN, 0.7]), 3)], CLASSES)
    row = frame.iloc[0]
    assert (row.patch_id, row.split, row.Dice, row.bPQ, row.n_true) == (5, "test", 0.8, 0.6, 2)
    assert (row.n_predicted, row.reason, row.mPQ) == (3, None, pytest.approx(0.6))
    np.testing.assert_array_equal(frame[pq_columns(CLASSES.grouping.names)], [[0.5, NAN, 0.7]])


def test_a_patch_without_nuclei_has_no_metrics_and_a_reason():
    row = patch_frame([patch_row(None, scores(0.0, NAN, 0, [NAN] * 4), 3)], CLASSES).iloc[0]
    assert row.reason == "no_nucleus"
    assert row[["Dice", "Jaccard", "bPQ", "mPQ"]].isna().all()


def test_a_patch_without_background_has_dice_alone():
    row = patch_frame([patch_row(None, scores(1.0, NAN, 1, [NAN] * 4), 3)], CLASSES).iloc[0]
    assert (row.reason, row.Dice) == ("no_background", 1)


def test_no_patches_make_an_empty_table():
    frame = patch_frame([], CLASSES)
    assert frame.empty
    assert frame["PQ_Other"].dtype == np.float64


@pytest.fixture
def owners():
    return pd.DataFrame(
        {
            "cell_id": [None, "a-1", "b-1", "c-1"],
            "final_label": [None, "Epithelial", "T_NK", "Other"],
            "confidence": np.array([np.nan, 0.9, 0.8, 0], dtype=np.float32),
            "code": np.array([0, 1, 2, 3], dtype=np.uint8),
        }
    )


def test_nuclei_are_named_and_compared(owners):
    votes = SlideVotes(3, len(CLASSES.names))
    test, train = split_rank("test"), split_rank("train")
    votes.add(np.array([1, 2]), np.array([[6, 4, 0, 0], [0, 5, 0, 0]]), np.array([5, 0]), test)
    votes.add(np.array([2]), np.array([[0, 0, 15, 0]]), np.array([10]), train)
    frame = nucleus_frame(owners, votes, CLASSES)
    assert frame.nucleus_id.tolist() == [1, 2]
    assert frame.rna_class.tolist() == frame.voted_type.tolist() == ["cancer_cell", "normal_cell"]
    assert frame.split.tolist() == ["test", "train"]
    assert frame.n_patches.tolist() == [1, 2]
    np.testing.assert_allclose(frame.voted_share, [0.4, 0.75])
    np.testing.assert_allclose(frame.seen_share, [0.5, 0.5])
    assert frame.agrees.all()


def test_parts_are_told_by_split(owners):
    votes = SlideVotes(3, len(CLASSES.names))
    votes.add(np.array([1]), np.array([[0, 4, 0, 0]]), np.array([5]), split_rank(None))
    votes.add(np.array([2, 3]), np.array([[0, 4, 0, 0]] * 2), np.array([5, 5]), split_rank("test"))
    nuclei = nucleus_frame(owners, votes, CLASSES)
    rows = [
        patch_row(s, scores(0.8, 0.6, 2, [NAN, 0.5, NAN, NAN]), 3) for s in ("test", None, None)
    ]
    none = DetectionCounts.none(4)
    parts = parts_of(
        "s", nuclei, patch_frame(rows, CLASSES), {"none": none, "test": none}, CLASSES.names, 3
    )
    assert [(p.slide, p.split, p.n_patches, p.n_nuclei) for p in parts] == [
        ("s", "test", 1, 2),
        ("s", "none", 2, 1),
    ]
    assert parts[0].counts.tolist() == [[0, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0]]
    assert parts[1].agrees.tolist() == [True]


def test_splits_have_names_and_the_one_that_was_learnt_from_ranks_highest():
    assert [split_word(word) for word in ("test", None, np.nan)] == ["test", "none", "none"]
    ranked = sorted(("train", None, "valid", "test"), key=split_rank)
    assert ranked == [None, "test", "valid", "train"]
