"""The original's evaluation: types are compared where the network knows our classes, else all are one."""

import json

import numpy as np
import pytest

from slides import predicted, two_slides
from slides.predicted import write_predictions
from sthelar_build.io.compared_patches import open_compared
from sthelar_build.io.masks import open_masks
from sthelar_build.io.original_evaluation import write_original_evaluation
from sthelar_build.schema.labels import PATCH_CLASSES

OURS = {"Background": 0, **{one.name: one.index for one in PATCH_CLASSES}}


@pytest.fixture
def evaluate(tmp_path, monkeypatch):
    masks = two_slides.write_slide(tmp_path / "s", "skin_s1").masks.parent
    drawn = open_masks(masks)

    def evaluated(types, type_of):
        monkeypatch.setattr(predicted, "TYPES", types)
        true = drawn.instances(3)
        of_nucleus = {int(i): type_of(int(i)) for i in np.unique(true[true > 0])}
        maps, reasons = {3: true}, {i: "not_run" for i in range(56) if i != 3}
        found = write_predictions(tmp_path / "p", (4, 14, 32), maps, reasons, "cellvit", of_nucleus)
        path = tmp_path / "results.json"
        write_original_evaluation(path, open_compared(masks, found), [3], "s", "Skin")
        return json.loads(path.read_text())

    return evaluated


def test_our_classes_are_compared_by_name(evaluate):
    record = evaluate(OURS, two_slides.class_of)
    assert record["image_metrics"]["s_3.png"]["Dice"] == 1
    assert record["dataset"]["mPQ"] > 0.99
    assert record["nuclei_metrics_d"]["Epithelial"]["f1"] == 1


def test_other_types_are_not_compared(evaluate):
    record = evaluate({"Background": 0, "Neoplastic": 1, "Dead": 2}, lambda _: 1)
    assert record["nuclei_metrics_pq"]["Neoplastic"] > 0.99
    assert np.isnan(record["nuclei_metrics_pq"]["Dead"])
    assert record["dataset"]["f1"] == 1
