import numpy as np
import pytest
import shapely
from shapely import Polygon, make_valid

from sthelar_build.core.simulation.nuclei import (
    VERTICES,
    bow_tie_ring,
    keyhole_ring,
    outline_vertices,
    polygons,
    separated,
    with_hole,
)


def outlines(centres, radius=4.0, aspect=1.0, angle=0.0, irregularity=0.0):
    n = len(centres)
    return outline_vertices(
        np.random.default_rng(0),
        np.array(centres, dtype=float),
        *(np.full(n, value) for value in (radius, aspect, angle, irregularity)),
    )


@pytest.fixture
def disc():
    return polygons(outlines([(10, 10)]))[0]


def test_an_even_outline_has_the_area_of_its_radius(disc):
    assert disc.area == pytest.approx(np.pi * 16, rel=0.02)


def test_aspect_and_angle_lay_the_long_axis_where_they_say():
    left, top, right, bottom = polygons(outlines([(0, 0)], aspect=4, angle=np.pi / 2))[0].bounds
    assert right - left == pytest.approx(4, rel=0.05)
    assert bottom - top == pytest.approx(16, rel=0.05)


def test_coordinates_survive_float32():
    rough = polygons(outlines([(123.456789, 987.654321)], irregularity=0.1))
    coordinates = shapely.get_coordinates(rough)
    assert np.array_equal(coordinates, coordinates.astype(np.float32).astype(np.float64))
    assert len(coordinates) == VERTICES + 1


def test_neighbours_are_shrunk_until_they_part():
    vertices = outlines([(0, 0), (5, 0), (40, 0)])
    apart = polygons(separated(np.random.default_rng(0), vertices, overlapping_share=0))
    assert not apart[0].intersects(apart[1])
    assert apart[2].area == pytest.approx(polygons(vertices)[2].area)


def test_exempt_neighbours_keep_their_overlap():
    vertices = outlines([(0, 0), (5, 0)])
    assert np.array_equal(separated(np.random.default_rng(0), vertices, 1.0), vertices)


def test_a_keyhole_ring_is_one_closed_ring_that_leaves_the_hole_out(disc):
    holed = with_hole(np.random.default_rng(0), disc)
    assert holed.is_valid
    assert len(holed.interiors) == 1
    ring = keyhole_ring(holed)
    assert ring[0].tolist() == ring[-1].tolist()
    assert make_valid(Polygon(ring)).area == pytest.approx(holed.area)


def test_a_bow_tie_crosses_itself_and_covers_nearly_the_same(disc):
    ring = bow_tie_ring(np.random.default_rng(0), disc)
    assert not Polygon(ring).is_valid
    repaired = make_valid(Polygon(ring))
    assert repaired.intersection(disc).area / repaired.union(disc).area > 0.95
