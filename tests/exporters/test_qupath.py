"""GeoJSON as QuPath reads it: classified detections in H&E pixels."""

import gzip
import json
import uuid

import geopandas
import pytest

from slides import three_cells, whole_slides
from sthelar_build.errors import InputError
from sthelar_build.exporters import qupath
from sthelar_build.settings.export_slides import ExportSlidesSettings


@pytest.fixture(scope="module")
def slides(tmp_path_factory):
    return whole_slides.whole_slides(tmp_path_factory.mktemp("qupath") / "slides")


@pytest.fixture
def out(slides, tmp_path):
    qupath.write(slides, tmp_path / "out", ExportSlidesSettings(), 1)
    return tmp_path / "out"


def test_a_nucleus_is_a_detection_with_class_colour_measurements_and_cell(slides, out):
    features = json.loads((out / "tiny_s0.geojson").read_text())["features"]
    assert len(features) == 3
    first = features[0]
    assert str(uuid.UUID(first["id"])) == first["id"]
    assert first["properties"]["objectType"] == "detection"
    assert first["properties"]["classification"] == {"name": "T_NK", "color": [255, 15, 15]}
    assert first["properties"]["measurements"] == {
        "nucleus_id": 1,
        "confidence": 0.9,
        "area_um2": 36.0,
    }
    assert first["properties"]["metadata"] == {
        "cell_id": three_cells.CELLS[0],
        "label1": "T",
        "label2": "T_CD8",
        "label3": "normal_cell",
        "cluster": "0",
        "decided_by": "agreement",
    }


def test_outlines_are_those_of_the_nuclei_on_the_he(slides, out):
    found = geopandas.read_file(out / "tiny_s0.geojson")
    slide = next(one for one in slides if one.name == "tiny_s0")
    (expected,) = slide.nuclei_on_he()
    for outline, other in zip(found.geometry, expected["geometry"], strict=True):
        assert outline.equals(other)


def test_ids_differ_between_slides(out):
    ids = [one["id"] for path in out.iterdir() for one in json.loads(path.read_text())["features"]]
    assert len(set(ids)) == len(ids) == 6


def test_many_nuclei_are_compressed_and_two_runs_are_equal(slides, tmp_path):
    settings = ExportSlidesSettings(qupath_gzip_nuclei=2)
    for name in ("one", "two"):
        qupath.write(slides, tmp_path / name, settings, 1)
        qupath.validate(tmp_path / name)
    one, two = (tmp_path / name / "tiny_s0.geojson.gz" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    assert len(json.loads(gzip.decompress(one.read_bytes()))["features"]) == 3


@pytest.mark.parametrize(
    ("old", "new", "flaw"),
    [
        ('"T_NK","color":[255,15,15]', '"T_NK","color":[0,0,0]', "the class"),
        ('"Polygon"', '"Point"', "Point for an outline"),
        ('"nucleus_id":2', '"nucleus_id":1', "twice"),
        ('"confidence":0.9', '"confidence":"0.9"', "no number"),
    ],
)
def test_the_validator_takes_the_export_and_refuses_others(out, old, new, flaw):
    qupath.validate(out)
    path = out / "tiny_s0.geojson"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=flaw):
        qupath.validate(out)
