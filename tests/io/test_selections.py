"""What Xenium Explorer and QuPath export is read as they write it."""

import json

import pytest
import shapely
from shapely import box

from sthelar_build.errors import ConfigError
from sthelar_build.io.selections import polygon_of, read_cell_ids, read_region

CELLS = """#Selection name: Selection 1
#Area (µm^2): 812.40
Cell ID,Cluster,Transcripts,Area (µm^2)
aaaaaaab-1,Cluster 3,120,45.2
oipggjko-12,Cluster 1,88,30.0
aaaaaaab-1,Cluster 3,120,45.2
"""
SQUARE = """#Selection name: nest
#Area (µm^2): 100.00
X,Y
0,0
10,0
10,10
0,10
0,0
"""
TWO = """#Selection names: left, right
#Areas (µm^2): 4.00, 4.00
Selection,X,Y,Class,Color
left,0,0,,#ff0000
left,2,0,,#ff0000
left,2,2,,#ff0000
left,0,2,,#ff0000
right,5,0,,#00ff00
right,7,0,,#00ff00
right,7,2,,#00ff00
right,5,2,,#00ff00
"""


def file(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def annotation(shape, name=None, kind=None):
    about = {"objectType": "annotation", "isLocked": False}
    about |= {"name": name} if name else {}
    about |= {"classification": {"name": kind, "color": [200, 0, 0]}} if kind else {}
    geometry = json.loads(shapely.to_geojson(shape))
    return {"type": "Feature", "id": "0f3c", "geometry": geometry, "properties": about}


def geojson(tmp_path, *features):
    record = {"type": "FeatureCollection", "features": list(features)}
    return file(tmp_path, "drawn.geojson", json.dumps(record))


def test_the_cells_of_a_selection_come_once_each_in_order(tmp_path):
    assert read_cell_ids(file(tmp_path, "a.csv", CELLS)) == ["aaaaaaab-1", "oipggjko-12"]


def test_a_plain_list_may_do_without_a_head(tmp_path):
    assert read_cell_ids(file(tmp_path, "a.txt", "# mine\nx-1\n\ny-1\n")) == ["x-1", "y-1"]
    assert read_cell_ids(file(tmp_path, "b.txt", "cell_id\nx-1\n")) == ["x-1"]


def test_one_selection_of_several_can_be_named(tmp_path):
    path = file(tmp_path, "a.csv", "#two\nSelection,Cell ID\nleft,a-1\nright,b-1\n")
    assert read_cell_ids(path, "right") == ["b-1"]
    assert read_cell_ids(path) == ["a-1", "b-1"]
    with pytest.raises(ConfigError, match=r"'rihgt', found left, right \(nearest: 'right'\)"):
        read_cell_ids(path, "rihgt")


def test_a_polygon_is_written_corner_by_corner():
    assert polygon_of("0,0 4,0 4,2.5 0,2.5").bounds == (0, 0, 4, 2.5)
    assert polygon_of("0,0 2,2 2,0 0,2").area == pytest.approx(2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,0 4,0", "three corners or more"),
        ("0,0 4;0 4,4", "as X,Y X,Y X,Y"),
        ("0,0,1 4,0 4,4", "as X,Y X,Y X,Y"),
        ("0,0 4,nan 4,4", "as X,Y X,Y X,Y"),
        ("0,0 2,0 4,0", "an area"),
    ],
)
def test_corners_that_enclose_nothing_are_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        polygon_of(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SQUARE, r"found the corners of a selection \(X, Y\); write region:a\.csv"),
        (
            "barcode,x\na,1\n",
            "expected the column Cell ID or one id a line, found the columns barc",
        ),
        ("#nothing\n", "expected ids of cells, found none"),
    ],
)
def test_what_is_no_list_of_cells_is_refused(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        read_cell_ids(file(tmp_path, "a.csv", text))


def test_a_lasso_is_a_polygon_in_um(tmp_path):
    assert read_region(file(tmp_path, "a.csv", SQUARE)).equals(box(0, 0, 10, 10))


def test_several_lassos_are_told_apart_by_name(tmp_path):
    path = file(tmp_path, "a.csv", TWO)
    assert read_region(path).equals(shapely.union(box(0, 0, 2, 2), box(5, 0, 7, 2)))
    assert read_region(path, "right").equals(box(5, 0, 7, 2))


def test_two_closed_lassos_of_one_name_stay_two(tmp_path):
    corners = "0,0\n1,0\n1,1\n0,1\n0,0\n5,5\n6,5\n6,6\n5,6\n5,5\n"
    found = read_region(file(tmp_path, "a.csv", f"#n\n#a\nX,Y\n{corners}"))
    assert found.equals(shapely.union(box(0, 0, 1, 1), box(5, 5, 6, 6)))


def test_annotations_of_qupath_keep_their_holes(tmp_path):
    ring = box(0, 0, 9, 9).difference(box(3, 3, 6, 6))
    found = read_region(geojson(tmp_path, annotation(ring), annotation(box(20, 0, 21, 1))))
    assert found.area == 81 - 9 + 1


def test_an_annotation_is_chosen_by_its_name_or_its_class(tmp_path):
    path = geojson(
        tmp_path,
        annotation(box(0, 0, 1, 1), name="nest 1", kind="Tumor"),
        annotation(box(5, 0, 7, 1), kind="Tumor"),
        annotation(shapely.Point(3, 3), name="remark"),
    )
    assert read_region(path, "nest 1").area == 1
    assert read_region(path, "Tumor").area == 3
    with pytest.raises(ConfigError, match="found 1 of kind Point"):
        read_region(path)
    with pytest.raises(ConfigError, match=r"found Tumor, nest 1, remark \(nearest: 'Tumor'\)"):
        read_region(path, "Tumour")


def test_older_lists_of_features_and_single_ones_are_read(tmp_path):
    one = annotation(box(0, 0, 1, 1))
    assert read_region(file(tmp_path, "a.geojson", json.dumps([one, one]))).area == 1
    assert read_region(file(tmp_path, "b.geojson", json.dumps(one))).area == 1


def test_a_lasso_that_crosses_itself_is_two_triangles(tmp_path):
    text = "X,Y\n0,0\n2,2\n2,0\n0,2\n"
    assert read_region(file(tmp_path, "a.csv", text)).area == 2


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", CELLS, r"expected the columns X, Y, .*; write cells:a\.csv"),
        ("a.csv", "X,Y\n0,0\n1,1\n", "at least three corners of an outline, found 2"),
        ("a.csv", "X,Y\n0,zero\n", "expected numbers in X and Y, found '0', 'zero'"),
        ("a.csv", "X,Y\n0,0\n1,1\n2,2\n", "expected outlines with an area, found none"),
        ("a.geojson", "no json", "expected GeoJSON whose features"),
        ("a.geojson", '{"type": "FeatureCollection", "features": []}', "with an area, found none"),
        ("a.geojson", '[{"geometry": null}]', "expected GeoJSON whose features"),
    ],
)
def test_what_has_no_area_is_refused(tmp_path, name, text, message):
    with pytest.raises(ConfigError, match=message):
        read_region(file(tmp_path, name, text))
