import numpy as np
import pytest
import shapely

from sthelar_build.core.drawn_nuclei import (
    NoOutlineError,
    nucleus_outline,
    polygon_rings,
    shapes_of,
)

SQUARE = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]
HOLE = [[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]]
FAR = [[9, 0], [10, 0], [10, 1], [9, 1], [9, 0]]


def polygon(*rings):
    return {"type": "Polygon", "coordinates": list(rings)}


def shape(geometry):
    return shapes_of([polygon_rings(geometry)])[0]


def element(kind=None, **more):
    return {
        "type": "Feature",
        "geometry": polygon(SQUARE),
        "properties": {"objectType": kind},
        **more,
    }


def test_holes_and_parts_are_kept():
    assert shape(polygon(SQUARE, HOLE)).area == 15
    both = shape({"type": "MultiPolygon", "coordinates": [[SQUARE, HOLE], [FAR]]})
    assert (both.geom_type, both.area) == ("MultiPolygon", 16)
    assert shape({"type": "MultiPolygon", "coordinates": [[SQUARE]]}).geom_type == "Polygon"


def test_a_ring_may_be_open_or_have_a_third_coordinate():
    assert shape(polygon(SQUARE[:-1])).equals(shape(polygon(SQUARE)))
    assert shape(polygon([[x, y, 7] for x, y in SQUARE])).equals(shape(polygon(SQUARE)))


def test_rings_without_three_corners_are_left_out_with_their_holes():
    line = [[0, 0], [4, 0], [0, 0]]
    assert shape(polygon(line, HOLE)) is None
    assert shape(polygon(SQUARE, line)).area == 16
    assert shape(polygon([])) is None
    assert shape(polygon()) is None
    assert shape({"type": "MultiPolygon", "coordinates": [[line], [FAR]]}).area == 1


def test_shapes_keep_their_places_among_those_without_any():
    shapes = shapes_of([[], polygon_rings(polygon(SQUARE)), []])
    assert shapely.is_missing(shapes).tolist() == [True, False, True]


def test_other_geometries_have_no_rings():
    assert polygon_rings({"type": "Point", "coordinates": [1, 2]}) == []
    assert polygon_rings(None) == []


@pytest.mark.parametrize(
    "coordinates",
    [None, 3, [3], ["x"], [[1, 2]], [[["a", "b"]] * 4], [[[1]] * 4], [[[0, 0], [1, float("nan")], [1, 1]]], [[[1, 2], [3]]]],
)  # fmt: skip
def test_what_is_no_pairs_of_numbers_is_refused(coordinates):
    with pytest.raises(NoOutlineError, match="coordinates"):
        polygon_rings({"type": "Polygon", "coordinates": coordinates})


def test_of_a_cell_the_nucleus_counts():
    outline, detected = nucleus_outline(element("cell", nucleusGeometry=polygon(HOLE)))
    assert outline["coordinates"] == [HOLE]
    assert detected
    assert nucleus_outline(element("cell")) == (None, True)


def test_detections_are_told_from_annotations():
    assert [nucleus_outline(element(kind))[1] for kind in ("detection", "annotation", None)] == [
        True, False, False,
    ]  # fmt: skip
    assert not nucleus_outline({"geometry": polygon(SQUARE), "properties": None})[1]


@pytest.mark.parametrize(
    "other", [None, 3, [], "x", {"geometry": 3}, {"geometry": None, "nucleusGeometry": 3}]
)
def test_anything_but_a_feature_is_refused(other):
    with pytest.raises(NoOutlineError):
        nucleus_outline(other)


def test_many_are_built_as_one_by_one():
    rng = np.random.default_rng(0)
    geometries = [polygon((rng.uniform(0, 9, (5, 2))).tolist()) for _ in range(20)]
    together = shapes_of([polygon_rings(one) for one in geometries])
    assert shapely.equals_exact(together, [shape(one) for one in geometries]).all()
