"""The file that readers of the original expect."""

import json
import math

import numpy as np
import pytest

from sthelar_build.core.agreement import agreement
from sthelar_build.core.class_quality import class_quality
from sthelar_build.core.dataset_quality import DatasetQuality, PatchQuality
from sthelar_build.core.detection import Centres, detect
from sthelar_build.io.inference_results import FILE, write_inference_results

TRUE = np.array([[1, 1, 0]])
NOTHING = TRUE * 0
ONE = Centres(np.array([[0.5, 0.0]]), np.array([1]))
NONE = Centres(np.zeros((0, 2)))
TYPES = {"Background": 0, "Neoplastic": 1}


@pytest.fixture
def written(tmp_path):
    quality = DatasetQuality(2)
    for name, true, centres in (("s_0.png", TRUE, ONE), ("s_1.png", NOTHING, NONE)):
        classes = class_quality(true, true, true, true, 2)
        found = detect(centres, centres, 12, 2)
        quality.add(PatchQuality(name, "Skin", agreement(true, true), classes, found))
    write_inference_results(tmp_path / FILE, quality, TYPES)
    return (tmp_path / FILE).read_text()


def test_the_keys_are_those_of_the_original(written):
    found = json.loads(written)
    assert list(found) == [
        "dataset",
        "tissue_metrics",
        "image_metrics",
        "nuclei_metrics_pq",
        "nuclei_metrics_d",
    ]
    assert list(found["image_metrics"]["s_0.png"]) == ["Dice", "Jaccard", "bPQ"]
    assert list(found["tissue_metrics"]) == ["Skin"]
    assert list(found["nuclei_metrics_pq"]) == list(found["nuclei_metrics_d"]) == list(TYPES)


def test_values_are_not_rounded(written):
    found = json.loads(written)
    assert found["image_metrics"]["s_0.png"]["bPQ"] == agreement(TRUE, TRUE).bpq
    assert found["nuclei_metrics_pq"]["Neoplastic"] == agreement(TRUE, TRUE).bpq
    assert found["nuclei_metrics_d"]["Neoplastic"] == {"precision": 1, "recall": 1, "f1": 1}
    assert found["dataset"]["f1"] == 1
    assert found["dataset"]["Dice"] == found["tissue_metrics"]["Skin"]["Dice"] == 0.5


def test_what_is_not_defined_is_a_bare_nan(written):
    assert '"Jaccard": NaN' in written
    found = json.loads(written)
    assert math.isnan(found["image_metrics"]["s_1.png"]["bPQ"])
    assert math.isnan(found["nuclei_metrics_pq"]["Background"])
