"""Feature collections: one feature a line, the same bytes each time, damage is named."""

import gzip
import json

import numpy as np
import pytest
from shapely import box

from sthelar_build.errors import InputError
from sthelar_build.io.geojson import feature, geometries_json, read_features, write_features

SQUARE = geometries_json(np.array([box(0, 0, 2, 1.25)]))[0]
FEATURES = [feature(f"id{n}", SQUARE, {"n": n, "word": "é"}) for n in range(3)]


@pytest.mark.parametrize("name", ["a.geojson", "a.geojson.gz"])
def test_features_come_back_in_order_and_the_whole_is_json(tmp_path, name):
    path = tmp_path / name
    assert write_features(path, FEATURES) == 3
    assert [one["properties"]["n"] for one in read_features(path)] == [0, 1, 2]
    content = gzip.decompress(path.read_bytes()) if name.endswith("gz") else path.read_bytes()
    whole = json.loads(content)
    assert whole["type"] == "FeatureCollection"
    assert whole["features"] == list(read_features(path))
    assert whole["features"][0]["geometry"]["coordinates"][0][2] == [0.0, 1.25]


@pytest.mark.parametrize("name", ["a.geojson", "a.geojson.gz"])
def test_the_same_features_give_the_same_bytes(tmp_path, name):
    (tmp_path / "b").mkdir()
    write_features(tmp_path / name, FEATURES)
    write_features(tmp_path / "b" / name, FEATURES)
    assert (tmp_path / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_no_features_are_an_empty_collection(tmp_path):
    assert write_features(tmp_path / "a.geojson", []) == 0
    assert list(read_features(tmp_path / "a.geojson")) == []
    assert json.loads((tmp_path / "a.geojson").read_text())["features"] == []


@pytest.mark.parametrize("name", ["a.geojson", "a.geojson.gz"])
def test_a_file_that_was_cut_off_is_refused(tmp_path, name):
    path = tmp_path / name
    write_features(path, FEATURES)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="export it again"):
        list(read_features(path))


def test_another_file_is_refused(tmp_path):
    (tmp_path / "a.geojson").write_text("[]\n")
    with pytest.raises(InputError, match="another beginning"):
        list(read_features(tmp_path / "a.geojson"))
