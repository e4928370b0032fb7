import numpy as np
import pytest
import shapely
from shapely import MultiPolygon, Point, box

from sthelar_build.core.grown_cells import grown_cells


def grown(*nuclei, by=5.0):
    return grown_cells(np.array(nuclei, dtype=object), by)


def test_a_nucleus_alone_grows_all_round():
    (cell,) = grown(box(10, 10, 20, 20))
    assert cell.bounds == pytest.approx((5, 5, 25, 25))
    assert cell.area == pytest.approx(100 + 4 * 50 + np.pi * 25, rel=0.005)


def test_two_cells_meet_half_way():
    left, right = grown(box(0, 0, 10, 10), box(14, 0, 24, 10))
    assert left.bounds[2] == pytest.approx(12, abs=0.1)
    assert right.bounds[0] == pytest.approx(12, abs=0.1)
    assert left.intersection(right).area == pytest.approx(0, abs=1e-9)


def test_nothing_grown_is_the_nuclei_and_the_smaller_keeps_what_they_share():
    one, two = grown(box(0, 0, 4, 4), box(3, 0, 5, 2), by=0)
    assert (one.area, two.area) == (14, 4)


def test_an_overlapped_nucleus_keeps_its_cell_without_what_the_other_has():
    one, two = grown(box(0, 0, 10, 10), box(8, 4, 12, 6), by=2)
    assert two.contains(box(8, 4, 12, 6))
    assert one.contains(box(0.1, 0.1, 7.9, 9.9))
    assert one.intersection(two).area == pytest.approx(0, abs=1e-9)


def test_a_nucleus_of_two_parts_has_one_cell_around_both():
    (cell,) = grown(MultiPolygon([box(0, 0, 4, 4), box(6, 0, 10, 4)]), by=2)
    assert cell.geom_type == "Polygon"
    assert cell.contains(Point(5, 2))


def test_without_nuclei_there_is_no_cell():
    assert len(grown_cells(np.empty(0, dtype=object), 5)) == 0


@pytest.fixture(scope="module")
def crowd():
    """Two hundred nuclei across four tiles, some of which overlap."""
    rng = np.random.default_rng(3)
    centres = np.array([400, 400]) + rng.uniform(-60, 60, (200, 2))
    angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    radius = rng.uniform(2, 5, (200, 1)) * rng.uniform(0.8, 1.2, (200, 20))
    rings = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=2) + centres[:, None]
    nuclei = shapely.polygons(rings)
    return nuclei, grown_cells(nuclei, 5)


def test_no_two_cells_of_a_crowd_overlap(crowd):
    _, cells = crowd
    one, two = shapely.STRtree(cells).query(cells, predicate="intersects")
    shared = shapely.area(shapely.intersection(cells[one[one < two]], cells[two[one < two]]))
    assert shared.max() < 1e-6
    assert shapely.is_valid(cells).all()


def test_every_point_of_a_crowd_goes_to_its_nearest_nucleus_within_reach(crowd):
    nuclei, cells = crowd
    points = shapely.points(np.random.default_rng(4).uniform(330, 470, (3000, 2)))
    away = shapely.distance(nuclei[:, None], points[None])
    two_nearest = np.sort(away, axis=0)[:2]
    # Apart from those in a nucleus, or as near to two, or at the rim: there the rule is another, or the border is drawn to 0.1 um.
    clear = (two_nearest[0] > 0) & (two_nearest[1] - two_nearest[0] > 0.2)
    clear &= abs(two_nearest[0] - 5) > 0.1
    expected = np.where(two_nearest[0] < 5, away.argmin(axis=0), -1)
    holds = shapely.contains(cells[:, None], points[None])
    found = np.where(holds.any(axis=0), holds.argmax(axis=0), -1)
    assert clear.sum() > 1000
    assert (found[clear] == expected[clear]).all()
