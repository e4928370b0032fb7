"""The attributes of a store are plain JSON."""

import json

import numpy as np

from sthelar_build.io.slide_attributes import slide_attributes
from sthelar_build.io.transform import Transform
from sthelar_build.schema.frames import Affine, Frame

HE_TO_MORPHOLOGY = Affine(np.diag([2.0, 2.0, 1.0]), Frame.HE, Frame.MORPHOLOGY)


def test_they_survive_json_and_name_registration_classes_and_origin():
    placed = Transform(HE_TO_MORPHOLOGY, "matrix", 100, 50, 0.2, 1.5, None, "warn", ("far off",))
    found = json.loads(json.dumps(slide_attributes("s1", placed, {"stage": "assemble"})))
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
