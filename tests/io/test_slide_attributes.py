"""The attributes of a store are plain JSON."""

import json
from dataclasses import replace

import numpy as np

from sthelar_build.core.correction import Correction
from sthelar_build.io.slide_attributes import slide_attributes
from sthelar_build.io.transform import Transform
from sthelar_build.schema.frames import Affine, Frame

HE_TO_MORPHOLOGY = Affine(np.diag([2.0, 2.0, 1.0]), Frame.HE, Frame.MORPHOLOGY)


def test_they_survive_json_and_name_registration_classes_and_origin():
    placed = Transform(HE_TO_MORPHOLOGY, "matrix", 100, 50, 0.2, 1.5, None, "warn", ("far off",))
    found = json.loads(json.dumps(slide_attributes("s1", placed, "xenium", {"stage": "assemble"})))
    assert list(found) == ["sthelar"]
    about = found["sthelar"]
    assert (about["slide"], about["he_um_per_px"]) == ("s1", 0.4)
    assert about["registration"] == {
        "method": "matrix",
        "verdict": "warn",
        "median_um": 1.5,
        "p95_um": None,
        "reasons": ["far off"],
    }
    assert about["label_schema"]["classes"][9]["patch_class"] == "Other"
    assert about["provenance"] == {"stage": "assemble"}


def test_a_correction_says_where_it_is_and_how_it_is_used():
    placed = Transform(HE_TO_MORPHOLOGY, "matrix", 100, 50, 0.2)
    assert slide_attributes("s1", placed, "xenium", {})["sthelar"]["he_correction"] is None
    corrected = replace(placed, correction=Correction(0, 0, 50, np.full((3, 3, 2), [3.0, 4.0])))
    about = json.loads(json.dumps(slide_attributes("s1", corrected, "xenium", {})))["sthelar"]
    assert about["he_correction"]["element"] == "registration_correction"
    assert about["he_correction"]["largest_um"] == 5
    assert "then apply the affine" in about["he_correction"]["use"]
