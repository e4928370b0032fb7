import json

import pytest

from sthelar_build.errors import InputError
from sthelar_build.io.geojson import feature, geometries_json, write_features
from sthelar_build.io.nucleus_geojson import check_drawn_nuclei, read_drawn_nuclei


def square(x, side=2):
    ring = [[x, 0], [x + side, 0], [x + side, side], [x, side], [x, 0]]
    return {"type": "Polygon", "coordinates": [ring]}


def one(x, kind="detection", **more):
    return {
        "type": "Feature",
        "id": f"n{x}",
        "geometry": square(x),
        "properties": {"objectType": kind},
        **more,
    }


@pytest.fixture
def path(tmp_path):
    return tmp_path / "nuclei.geojson"


def read(path, *features):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return read_drawn_nuclei(path)


def test_nuclei_come_in_the_order_of_the_file_with_their_ids(path):
    found = read(
        path, one(5), one(0), {"geometry": square(9)} | {"properties": {"objectType": "detection"}}
    )
    assert [shape.bounds[0] for shape in found.polygons] == [5, 0, 9]
    assert found.source_ids.tolist() == ["n5", "n0", None]
    assert found.left_out == {}


def test_a_bare_list_is_read_too(path):
    path.write_text(json.dumps([one(1)]))
    assert len(read_drawn_nuclei(path).polygons) == 1


def test_cells_without_nucleus_points_and_annotations_around_detections_are_left_out_and_counted(
    path,
):
    point = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [1, 1]},
        "properties": {},
    }
    cell = one(3, "cell", nucleusGeometry=square(3.5, 1))
    found = read(path, one(0, "annotation"), one(1), point, one(2, "cell"), cell)
    assert [shape.area for shape in found.polygons] == [4, 1]
    assert found.left_out == {
        "no polygon": 1,
        "cell without a nucleus": 1,
        "annotation, tile or core around detections": 1,
    }


def test_nuclei_drawn_as_annotations_are_nuclei_where_nothing_else_is(path):
    assert len(read(path, one(0, "annotation"), one(1, "annotation")).polygons) == 2


def test_a_file_without_objects_has_no_nuclei(path):
    assert len(read(path).polygons) == 0


def test_our_own_export_is_read(tmp_path):
    path = tmp_path / "ours.geojson.gz"
    shapes = read(tmp_path / "some.geojson", one(0), one(7)).polygons
    write_features(
        path,
        [
            feature(str(n), text, {"objectType": "detection"})
            for n, text in enumerate(geometries_json(shapes))
        ],
    )
    assert [shape.wkt for shape in read_drawn_nuclei(path).polygons] == [
        shape.wkt for shape in shapes
    ]


def test_an_object_that_is_no_feature_is_named(path):
    with pytest.raises(InputError, match=r"nuclei\.geojson: object 2: expected a GeoJSON feature"):
        read(path, one(0), 7)


def test_a_look_at_the_first_objects_finds_a_wrong_file_and_does_not_read_a_good_one_to_the_end(
    path,
):
    path.write_text('[{"geometry": null}, 7')
    check_drawn_nuclei(path, at_most=1)
    with pytest.raises(InputError, match="object 2"):
        check_drawn_nuclei(path)
