"""Tables over all slides: by class, by slide, and who falls behind."""

import numpy as np
import pytest

from slides import evaluations
from sthelar_build.core.evaluated_tables import parts_of
from sthelar_build.core.model_parts import pooled
from sthelar_build.core.model_tables import (
    class_table,
    confidence_table,
    confusion_table,
    slide_table,
)

CLASSES = evaluations.CLASSES


def part(slide, quality=0.6, n=10, wrong=2):
    split = {"test": evaluations.detection(8, 1, 1)}
    cells, shown = evaluations.confused(n, wrong), evaluations.patches(quality)
    return parts_of(slide, cells, shown, split, CLASSES.names, CLASSES.n_classes)[0]


PARTS = [part("a"), part("b", 0.7), part("c", 0.3, wrong=10), part("d", 0.0, n=1, wrong=1)]
TISSUES = dict.fromkeys("abcd", "Skin")
JACCARD = {"a": 0.7, "b": 0.7, "c": 0.2, "d": None}


def slides(parts=PARTS):
    return slide_table(parts, TISSUES, JACCARD, other=3, behind=0.1, min_nuclei=10)


def test_a_row_per_class():
    table = class_table([pooled(PARTS[:1])], CLASSES.grouping.names).set_index("class")
    cancer = table.loc["cancer_cell"]
    assert (cancer.n, cancer.precision, cancer.recall) == (10, 1, 0.8)
    assert pytest.approx(16 / 18) == cancer.F1
    assert pytest.approx(0.6) == cancer.PQ
    assert cancer.detection_F1 == pytest.approx(16 / 18)
    assert table.loc["Other"].n == 0
    assert np.isnan(table.loc["Other"].F1)


def test_the_confusion_has_a_column_for_every_code():
    table = confusion_table([pooled(PARTS[:1])], CLASSES.names)
    assert table.columns.tolist() == ["split", "rna_class", *CLASSES.names]
    assert table.iloc[0].tolist() == ["test", "cancer_cell", 0, 8, 2, 0, 0]


def test_confidence_is_told_by_split():
    table = confidence_table([pooled(PARTS[:1])])
    assert table.n.sum() == 20
    assert table.n_disagreeing.sum() == 2
    assert table.agreement.iloc[0] == 0


def test_slides_far_below_the_median_fall_behind_and_small_ones_are_not_judged():
    table = slides().set_index("slide")
    assert table.behind.tolist() == ["", "", "bPQ;balanced_accuracy", ""]
    assert table.loc["c", "qc_jaccard"] == 0.2
    assert np.isnan(table.loc["d", "qc_jaccard"])


def test_a_slide_alone_has_nothing_to_fall_behind():
    assert slides(PARTS[2:3]).behind.tolist() == [""]
