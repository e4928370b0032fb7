"""Outlines in few bytes."""

import numpy as np
import pytest
import shapely
from shapely import MultiPolygon, Point, Polygon, box

from sthelar_build.core.coded_outlines import STEPS_PER_PX, CodedOutlines, coded_outlines


def decoded(outlines, centres):
    """Return the polygons, as a page draws them."""
    start = outlines.start
    return [
        outlines.steps[start[n] : start[n + 1]] * float(coarse) / STEPS_PER_PX + centres[n]
        for n, coarse in enumerate(outlines.coarseness)
    ]


def test_a_square_is_four_corners_of_quarter_pixels():
    coded = coded_outlines([box(10, 20, 12, 23)], np.array([[11.0, 21.5]]))
    assert (coded.n_corners.tolist(), coded.coarseness.tolist()) == ([4], [1])
    assert sorted(coded.steps.tolist()) == [[-4, -6], [-4, 6], [4, -6], [4, 6]]


def test_large_nuclei_take_coarser_steps_and_keep_their_shape():
    circles = [Point(50, 50).buffer(radius, 32) for radius in (5, 31, 100, 900)]
    centres = np.full((4, 2), 50.0)
    coded = coded_outlines(circles, centres)
    assert coded.coarseness.tolist() == [1, 1, 4, 29]
    for circle, corners in zip(circles, decoded(coded, centres), strict=True):
        overlap = shapely.intersection(circle, Polygon(corners)).area
        assert overlap / circle.area > 0.94


def test_of_parts_the_largest_is_kept_and_of_holes_none():
    ring = box(0, 0, 8, 8) - box(3, 3, 4, 4)
    coded = coded_outlines([MultiPolygon([box(20, 20, 21, 21), ring])], np.array([[4.0, 4.0]]))
    assert sorted(coded.steps.tolist()) == [[-16, -16], [-16, 16], [16, -16], [16, 16]]


def test_no_polygon_is_no_corner():
    coded = coded_outlines([None, box(0, 0, 1, 1)], np.zeros((2, 2)))
    assert coded.n_corners.tolist() == [0, 4]


def test_no_outline_has_more_corners_than_a_byte_counts():
    angles = np.linspace(0, 2 * np.pi, 4000, endpoint=False)
    star = Polygon(
        np.c_[np.cos(angles), np.sin(angles)] * (20 + 8 * (np.arange(4000) % 2))[:, None]
    )
    coded = coded_outlines([star], np.zeros((1, 2)))
    assert 100 < coded.n_corners[0] <= 255


def test_some_are_taken_in_the_order_given():
    shapes, centres = [box(n, 0, n + 1 + n, 1) for n in range(4)], np.zeros((4, 2))
    coded = coded_outlines(shapes, centres)
    taken, rows = coded.take(np.array([3, 1])), np.array([3, 1])
    one_by_one = coded_outlines([shapes[n] for n in rows], centres[rows])
    assert taken.steps.tolist() == one_by_one.steps.tolist()
    assert taken.n_corners.tolist() == one_by_one.n_corners.tolist()
    joined = CodedOutlines.joined([coded.take(np.array([0, 1])), coded.take(np.array([2, 3]))])
    assert joined.steps.tolist() == coded.steps.tolist()


@pytest.mark.parametrize("n", [0, 1])
def test_few_or_none_are_no_special_case(n):
    coded = coded_outlines(np.array([box(0, 0, 1, 1)] * n, dtype=object), np.zeros((n, 2)))
    assert len(coded.n_corners) == n
    assert len(coded.take(np.arange(n)).steps) == 4 * n
