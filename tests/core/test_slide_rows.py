"""A slide in a row: what the facts know of it, what its labels and masks add, and its verdicts."""

import pandas as pd
import pytest

from sthelar_build.core.slide_rows import slide_row
from sthelar_build.core.summary import agreement, annotation

LABELS = pd.DataFrame(
    {
        "decided_by": ["agreement", "neither", "agreement", "low_count"],
        "confidence": [1, 0.5, 0.9, 0],
    }
)
METRICS = pd.DataFrame(
    {"Dice": [0.9, 0.5, None], "Jaccard": [0.8, 0.3, None], "bPQ": [0.7, 0.2, None],
     "reason": [None, None, "no_nucleus"]}
)  # fmt: skip


def row(metrics=METRICS, min_kept=0.5):
    known = {"name": "s", "verdict": "warn", "patches": 3}
    return slide_row(known, annotation(LABELS), agreement(metrics, 0.45), 0.5, min_kept)


def test_shares_are_of_the_cells_and_patches_that_were_measured():
    found = row()
    assert (found["name"], found["patches"]) == ("s", 3)
    assert found["n_cells"] == 4
    assert found["decided_share"] == 2 / 3
    assert found["mean_confidence"] == pytest.approx(0.8)
    assert found["kept_share"] == 0.5


def test_verdicts_follow_the_limits():
    assert row()["verdicts"] == {
        "alignment": "warn", "labels": "pass", "masks": "pass", "overall": "warn",
    }  # fmt: skip
    assert row(min_kept=0.6)["verdicts"]["masks"] == "warn"


def test_masks_that_were_not_measured_have_no_share():
    nothing = METRICS.assign(Jaccard=None, Dice=None, bPQ=None)
    assert row(nothing)["kept_share"] is None
    assert row(nothing)["verdicts"]["masks"] == "unknown"
