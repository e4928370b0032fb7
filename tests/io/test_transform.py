"""``transform.json`` there and back."""

import json
from dataclasses import replace

import numpy as np
import pytest

from sthelar_build.core.correction import Correction
from sthelar_build.errors import InputError
from sthelar_build.io.provenance import provenance
from sthelar_build.io.transform import Transform, check_image_size, read_transform, write_transform
from sthelar_build.schema.frames import Affine, Frame

TRANSFORM = Transform(
    he_to_morphology=Affine(
        np.array([[0, 1.3, 10], [-1.3, 0, 900], [0, 0, 1]]), Frame.HE, Frame.MORPHOLOGY
    ),
    method="matrix",
    he_width_px=640,
    he_height_px=480,
    pixel_size_um=0.2,
    median_um=1.25,
    p95_um=None,
    verdict="warn",
    reasons=("because",),
    keypoints={"residuals_um": [None, 1.0], "used": [True, True]},
)


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "transform.json"
    write_transform(path, TRANSFORM, provenance("register"))
    found = read_transform(path)
    np.testing.assert_array_equal(found.he_to_morphology.matrix, TRANSFORM.he_to_morphology.matrix)
    for name in ("method", "he_width_px", "he_height_px", "pixel_size_um", "median_um", "p95_um"):
        assert getattr(found, name) == getattr(TRANSFORM, name)
    assert (found.verdict, found.reasons) == ("warn", ("because",))
    assert found.keypoints == TRANSFORM.keypoints


def test_the_file_has_the_keys_of_the_contract(tmp_path):
    write_transform(tmp_path / "t.json", TRANSFORM, provenance("register"))
    record = json.loads((tmp_path / "t.json").read_text())
    assert (record["source"], record["target"]) == ("he", "morphology")
    assert record["matrix"][1] == [-1.3, 0, 900]
    assert record["he_um_per_px"] == pytest.approx(0.26)


def test_micrometres_become_he_pixels():
    he = np.array([[100.0, 50]])
    um = np.array([[(1.3 * 50 + 10) * 0.2, (-1.3 * 100 + 900) * 0.2]])
    np.testing.assert_allclose(TRANSFORM.um_to_he.inverse().apply(he), um)
    np.testing.assert_allclose(TRANSFORM.um_to_he.apply(um), he)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"source": "um"}, "expected a transform he -> morphology, found um -> morphology"),
        ({"matrix": [[1, 0], [0, 1]]}, "3x3 matrix"),
        ({"target": "moon"}, "moon"),
    ],
)
def test_another_transform_is_refused(tmp_path, change, words):
    write_transform(tmp_path / "t.json", TRANSFORM, provenance("register"))
    record = json.loads((tmp_path / "t.json").read_text())
    (tmp_path / "t.json").write_text(json.dumps({**record, **change}))
    with pytest.raises(InputError, match=words):
        read_transform(tmp_path / "t.json")


def test_an_image_of_another_size_is_refused(tmp_path):
    check_image_size(tmp_path / "t.json", TRANSFORM, tmp_path / "he.tif", 640, 480)
    with pytest.raises(InputError, match=r"he\.tif: expected an image of 640 x 480 px.*found 641"):
        check_image_size(tmp_path / "t.json", TRANSFORM, tmp_path / "he.tif", 641, 480)


def test_a_correction_is_read_as_it_was_used(tmp_path):
    shift_um = np.random.default_rng(0).normal(0, 3, (5, 4, 2))
    corrected = replace(TRANSFORM, correction=Correction(-50, 20.1, 60, shift_um))
    write_transform(tmp_path / "t.json", corrected, provenance("register"))
    found = read_transform(tmp_path / "t.json")
    points = np.random.default_rng(1).uniform(-100, 300, (50, 2))
    np.testing.assert_array_equal(found.um_to_he.apply(points), corrected.um_to_he.apply(points))
    np.testing.assert_allclose(
        found.um_to_he.apply(points), TRANSFORM.um_to_he.apply(found.correction.apply(points))
    )


def test_what_was_measured_and_tried_is_kept(tmp_path):
    tried = replace(
        TRANSFORM, quality={"a": [1, None]}, alternatives={"given": {"median_um": 3}}, kept="given"
    )
    write_transform(tmp_path / "t.json", tried, provenance("register"))
    found = read_transform(tmp_path / "t.json")
    assert (found.quality, found.kept) == ({"a": [1, None]}, "given")
    assert found.alternatives == {"given": {"median_um": 3}}


def test_files_from_before_corrections_are_read(tmp_path):
    write_transform(tmp_path / "t.json", TRANSFORM, provenance("register"))
    record = json.loads((tmp_path / "t.json").read_text())
    for key in ("correction", "quality", "alternatives", "kept"):
        del record[key]
    (tmp_path / "t.json").write_text(json.dumps(record))
    found = read_transform(tmp_path / "t.json")
    assert (found.correction, found.quality, found.alternatives, found.kept) == (None, {}, {}, None)


@pytest.mark.parametrize(
    "correction", [{"left_um": 0}, {"left_um": 0, "top_um": 0, "step_um": 9, "shift_um": [[1]]}]
)
def test_a_broken_correction_is_refused(tmp_path, correction):
    write_transform(tmp_path / "t.json", TRANSFORM, provenance("register"))
    record = json.loads((tmp_path / "t.json").read_text())
    (tmp_path / "t.json").write_text(json.dumps({**record, "correction": correction}))
    with pytest.raises(InputError, match="expected a correction of left_um"):
        read_transform(tmp_path / "t.json")
