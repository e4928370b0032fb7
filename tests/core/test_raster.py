"""Which nucleus owns which pixel."""

import numpy as np
import pytest
import rasterio.features
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, box

from sthelar_build.core.polygons import repair
from sthelar_build.core.raster import Spans, draw_order, instance_map, paint


def centres_inside(geometry, shape):
    columns, rows = np.meshgrid(np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5)
    return shapely.contains_xy(geometry, columns, rows)


def blobs(n, side, seed, radius=6.0):
    """Star-shaped polygons, some of them reaching over the border."""
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    reach = radius * rng.uniform(0.4, 1.5, (n, len(angle)))
    middle = rng.uniform(-radius, side + radius, (n, 1, 2))
    ring = np.stack([reach * np.cos(angle), reach * np.sin(angle)], axis=-1) + middle
    return shapely.polygons(ring)


def test_a_pixel_belongs_to_the_polygon_that_holds_its_centre():
    triangle = Polygon([(0, 0), (4, 0), (0, 4)])
    assert instance_map([triangle], [7], (4, 4)).tolist() == [
        [7, 7, 7, 0],
        [7, 7, 0, 0],
        [7, 0, 0, 0],
        [0, 0, 0, 0],
    ]


def test_half_a_pixel_further_the_next_pixels_are_covered():
    assert instance_map([box(0.4, 0.4, 2.4, 2.4)], [1], (4, 4))[:, 0].tolist() == [1, 1, 0, 0]
    assert instance_map([box(0.6, 0.6, 2.6, 2.6)], [1], (4, 4))[:, 1].tolist() == [0, 1, 1, 0]


def test_a_centre_on_an_edge_belongs_to_one_of_two_neighbours():
    left, right = box(0, 0, 1.5, 2), box(1.5, 0, 3, 2)
    assert instance_map([left, right], [1, 2], (2, 3)).tolist() == [[1, 2, 2], [1, 2, 2]]


def test_polygons_that_share_a_slanted_edge_leave_no_gap():
    corner = (13.37, 0.0), (4.21, 20.0)
    left = Polygon([(0, 0), *corner, (0, 20)])
    right = Polygon([(20, 0), (20, 20), *corner[::-1]])
    assert (instance_map([left, right], [1, 2], (20, 20)) > 0).all()


def test_a_hole_stays_background():
    ring = Polygon(box(0, 0, 5, 5).exterior, [box(2, 2, 3, 3).exterior])
    assert instance_map([ring], [1], (5, 5)).tolist() == [
        [1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1],
        [1, 1, 0, 1, 1],
        [1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1],
    ]


def test_a_nucleus_in_the_hole_of_another_is_drawn():
    ring = Polygon(box(0, 0, 3, 3).exterior, [box(1, 1, 2, 2).exterior])
    assert instance_map([box(1, 1, 2, 2), ring], [1, 2], (3, 3)).tolist() == [
        [2, 2, 2],
        [2, 1, 2],
        [2, 2, 2],
    ]


def test_a_bow_tie_becomes_its_two_triangles():
    ring = Polygon([(0, 0), (6, 4), (6, 0), (0, 4)])
    (mended,), _ = repair([ring])
    assert instance_map([mended], [1], (4, 6)).tolist() == [
        [1, 0, 0, 0, 0, 1],
        [1, 1, 0, 0, 1, 1],
        [1, 1, 0, 0, 1, 1],
        [1, 0, 0, 0, 0, 1],
    ]


def test_a_ring_that_runs_along_itself_into_a_hole_is_drawn_with_the_hole():
    keyhole = [(0, 2), (0, 0), (5, 0), (5, 5), (0, 5), (0, 2)]
    keyhole += [(1, 2), (1, 4), (4, 4), (4, 1), (1, 1), (1, 2), (0, 2)]
    (mended,), (was_invalid,) = repair([Polygon(keyhole)])
    assert was_invalid
    assert instance_map([mended], [1], (5, 5)).tolist() == [
        [1, 1, 1, 1, 1],
        [1, 0, 0, 0, 1],
        [1, 0, 0, 0, 1],
        [1, 0, 0, 0, 1],
        [1, 1, 1, 1, 1],
    ]


def test_every_part_of_a_split_nucleus_is_drawn_and_nothing_between():
    split = MultiPolygon([box(0, 0, 2, 2), box(6, 0, 8, 2), box(0, 6, 2, 8)])
    assert instance_map([split], [1], (8, 8)).tolist() == [
        [1, 1, 0, 0, 0, 0, 1, 1],
        [1, 1, 0, 0, 0, 0, 1, 1],
        *[[0] * 8] * 4,
        [1, 1, 0, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0, 0, 0],
    ]


def test_what_reaches_beyond_the_map_is_cut():
    drawn = instance_map([box(-10, -10, 1, 30), box(3, 3, 99, 99)], [1, 2], (4, 4))
    assert drawn.tolist() == [[1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 2]]


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_where_nuclei_overlap_the_smaller_keeps_the_pixel(order):
    nuclei, ids = np.array([box(0, 0, 4, 4), box(1, 1, 3, 3)]), np.array([1, 2])
    drawn = instance_map(nuclei[order], ids[order], (4, 4))
    assert drawn.tolist() == [[1, 1, 1, 1], [1, 2, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1]]


def test_of_equal_nuclei_the_lower_id_keeps_the_pixel_wherever_they_lie():
    far = 40_000.1  # here congruent squares differ in area by rounding
    nuclei = shapely.transform(
        [box(0, 0, 2, 1), box(1, 0, 3, 1)], lambda xy: xy + np.array([far, 0])
    )
    order = draw_order(shapely.area(nuclei), [5, 3])
    assert order.tolist() == [0, 1]
    assert instance_map([box(0, 0, 2, 1), box(1, 0, 3, 1)], [5, 3], (1, 3)).tolist() == [[5, 3, 3]]


def test_the_highest_id_survives():
    top = 2**32 - 1
    assert instance_map([box(0, 0, 1, 1)], [top], (1, 2)).tolist() == [[top, 0]]


def test_slivers_are_removed_and_what_lies_beneath_shows():
    large, sliver, edge = box(0, 0, 4, 4), box(3, 3, 9, 4), box(4, 0, 99, 1)
    nuclei, ids = [large, sliver, edge], [1, 2, 3]
    assert instance_map(nuclei, ids, (4, 5))[3].tolist() == [1, 1, 1, 2, 2]
    drawn = instance_map(nuclei, ids, (4, 5), min_visible_px=3)
    assert drawn[:, 4].tolist() == [0, 0, 0, 0]
    assert (drawn[:, :4] == 1).all()


def test_no_nuclei_give_background():
    assert instance_map([], [], (2, 3)).tolist() == [[0, 0, 0], [0, 0, 0]]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_alone_a_nucleus_covers_the_centres_that_shapely_finds_inside(seed):
    (blob,) = blobs(1, 20, seed)
    np.testing.assert_array_equal(
        instance_map([blob], [1], (20, 24)) > 0, centres_inside(blob, (20, 24))
    )


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_many_overlapping_nuclei_are_drawn_as_rasterio_draws_them(seed):
    nuclei, ids = blobs(60, 64, seed, radius=9), np.arange(1, 61)
    order = draw_order(shapely.area(nuclei), ids)
    shapes = zip(nuclei[order], ids[order].tolist(), strict=True)
    expected = rasterio.features.rasterize(shapes, (64, 64), dtype="uint32")
    np.testing.assert_array_equal(instance_map(nuclei, ids, (64, 64)), expected)


def test_what_more_than_one_polygon_covers_is_shared():
    spans = Spans(*(np.array(column) for column in ([0, 1, 1], [0, 0, 1], [0, 2, 0], [3, 4, 2])))
    canvas, shared = paint(spans, (2, 4))
    assert canvas.tolist() == [[1, 1, 2, 2], [2, 2, 0, 0]]
    assert np.argwhere(shared).tolist() == [[0, 2]]
