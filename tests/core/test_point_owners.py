import geopandas
import numpy as np
import pytest
import shapely
from shapely import MultiPolygon, Point, Polygon, box

from sthelar_build.core.point_owners import PointOwners


def owners(polygons, points):
    return PointOwners(np.array(polygons, dtype=object))(np.array(points, dtype=float)).tolist()


def test_a_point_belongs_to_the_polygon_around_it():
    assert owners([box(0, 0, 2, 2), box(4, 0, 6, 2)], [(1, 1), (5, 1), (3, 1), (9, 9)]) == [
        0, 1, -1, -1,
    ]  # fmt: skip


def test_where_polygons_overlap_the_smaller_keeps_the_point_and_of_equal_ones_the_first():
    assert owners([box(0, 0, 9, 9), box(2, 2, 4, 4)], [(3, 3), (5, 5)]) == [1, 0]
    assert owners([box(0, 0, 2, 2), box(1, 0, 3, 2)], [(1.5, 1)]) == [0]


def test_a_border_lies_inside_and_so_does_a_corner():
    square = [box(0, 0, 2, 2)]
    assert owners(square, [(0, 1), (2, 1), (1, 0), (1, 2), (0, 0), (2, 2)]) == [0] * 6
    slanted = [Polygon([(0, 0), (3, 1), (0, 2)])]
    assert owners(slanted, [(1.5, 0.5), (3, 1), (3.0001, 1)]) == [0, 0, -1]


def test_a_border_that_two_share_belongs_to_the_smaller():
    assert owners([box(0, 0, 5, 2), box(5, 0, 6, 2)], [(5, 1)]) == [1]


def test_a_hole_holds_nothing_and_every_part_does():
    ring = box(0, 0, 6, 6) - box(2, 2, 4, 4)
    split = MultiPolygon([box(10, 0, 11, 1), box(20, 0, 21, 1)])
    points = [(3, 3), (1, 1), (10.5, 0.5), (20.5, 0.5), (15, 0.5)]
    assert owners([ring, split], points) == [-1, 0, 1, 1, -1]


def test_none_holds_nothing_and_what_is_no_number_lies_nowhere():
    assert owners([None, box(0, 0, 1, 1)], [(0.5, 0.5), (np.nan, 0.5)]) == [1, -1]
    assert owners([], [(0, 0)]) == [-1]
    assert owners([box(0, 0, 1, 1)], np.zeros((0, 2))) == []


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_point_falls_where_geos_says_it_falls(seed):
    rng = np.random.default_rng(seed)
    # Coordinates on a coarse grid: many points lie on borders, on corners, and in several polygons.
    centres = rng.integers(0, 60, (150, 1, 2)) / 2
    vertices = centres + rng.integers(-6, 7, (150, 9, 2)) / 2
    polygons = shapely.convex_hull(shapely.multipoints(vertices))
    polygons[::3] = shapely.difference(
        polygons[::3], shapely.buffer(shapely.centroid(polygons[::3]), 0.4)
    )
    polygons[shapely.get_type_id(polygons) < 3] = None
    points = np.concatenate([rng.integers(-8, 76, (3000, 2)) / 2, rng.uniform(-2, 34, (3000, 2))])

    point, polygon = shapely.STRtree(polygons).query(shapely.points(points), predicate="intersects")
    smallest_first = np.lexsort((polygon, shapely.area(polygons)[polygon].round(9), point))
    _, first = np.unique(point[smallest_first], return_index=True)
    expected = np.full(len(points), -1)
    expected[point[smallest_first][first]] = polygon[smallest_first][first]
    assert (expected >= 0).sum() > 1000
    assert PointOwners(polygons)(points).tolist() == expected.tolist()


def test_points_one_rounding_away_from_a_slanted_border_fall_as_geos_says():
    triangle = Polygon([(0.1, 0.1), (7.3, 3.7), (0.1, 9.9)])
    along = np.linspace(0.01, 0.99, 200)[:, None]
    on = (0.1, 0.1) + along * (np.array((7.3, 3.7)) - (0.1, 0.1))
    points = np.concatenate([on, np.nextafter(on, 9), np.nextafter(on, -9)])
    expected = shapely.intersects_xy(triangle, *points.T)
    assert 0 < expected.sum() < len(points)
    found = PointOwners(np.array([triangle], dtype=object))(points)
    assert (found == 0).tolist() == expected.tolist()


def test_one_polygon_over_all_others_costs_no_memory():
    many = [
        *geopandas.GeoSeries([Point(x, 0) for x in range(200)]).buffer(0.3),
        box(-1e4, -1e4, 1e4, 1e4),
    ]
    assert owners(many, [(7, 0), (7.5, 0), (5e3, 5e3)]) == [7, 200, 200]
