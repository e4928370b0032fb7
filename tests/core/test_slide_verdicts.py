"""The questions of the report are answered each for itself, and together."""

import pandas as pd
import pytest

from sthelar_build.core.slide_verdicts import mask_status, overall, slide_verdicts
from sthelar_build.core.summary import agreement, annotation


def agreeing(*jaccard):
    metrics = pd.DataFrame({"Jaccard": jaccard, "Dice": 0.5, "bPQ": 0.5, "reason": "not_run"})
    return agreement(metrics, min_jaccard=0.5)


def labelled(*decided_by):
    return annotation(pd.DataFrame({"decided_by": decided_by, "confidence": 1.0}))


@pytest.mark.parametrize(
    ("jaccard", "status"), [((0.6, 0.4), "pass"), ((0.6, 0.4, 0.4), "warn"), ((None,), "unknown")]
)
def test_masks_are_judged_by_the_share_of_measured_patches_that_agree(jaccard, status):
    assert mask_status(agreeing(*jaccard), min_kept=0.5) == status


def test_the_scale_that_agrees_least_speaks_for_the_masks():
    labels = labelled("markers", "neither")
    found = slide_verdicts("pass", labels, [agreeing(0.9), agreeing(0.1)], 0.5, 0.5)
    assert found == {"alignment": "pass", "labels": "pass", "masks": "warn", "overall": "warn"}


def test_labels_without_evidence_warn():
    labels = labelled("markers", "neither", "neither")
    assert slide_verdicts("pass", labels, [agreeing(0.9)], 0.5, 0.5)["labels"] == "warn"


def test_a_failed_alignment_outweighs_everything():
    assert overall("fail", ["pass", "pass"]) == "fail"
    assert overall("pass", ["pass", "unknown"]) == "warn"
    assert overall("pass", ["pass", "pass"]) == "pass"
