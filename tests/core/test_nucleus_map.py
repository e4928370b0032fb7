"""The nuclei of a slide, drawn on any window."""

import numpy as np
import pytest
import shapely

from sthelar_build.core.nucleus_map import NucleusMap
from sthelar_build.core.outlines import Outlines
from sthelar_build.core.registration import Window

SQUARES = np.array([shapely.box(0, 0, 2, 2), shapely.box(6, 3, 8, 5), shapely.box(30, 20, 34, 24)])


def nuclei(geometries=SQUARES):
    centroids = shapely.get_coordinates(shapely.centroid(geometries))
    return NucleusMap(Outlines.of(geometries), centroids, shapely.area(geometries))


def test_the_bounds_are_those_of_the_centroids():
    assert nuclei().bounds_um.tolist() == [[1, 1], [32, 22]]
    assert nuclei().corners_um.tolist() == [[1, 1], [32, 1], [32, 22], [1, 22]]


def test_the_centroids_in_a_window_come_in_the_order_of_the_nuclei():
    everywhere = Window(0, 0, 1, (40, 40))
    assert nuclei().inside(everywhere).tolist() == [[1, 1], [7, 4], [32, 22]]
    assert nuclei(SQUARES[::-1]).inside(everywhere).tolist() == [[32, 22], [7, 4], [1, 1]]


def test_a_nucleus_whose_centroid_is_not_in_the_window_is_not_inside():
    window = Window(1.5, 0, 1, (10, 10))
    assert nuclei().inside(window).tolist() == [[7, 4]]


def test_no_nucleus_lies_in_an_empty_window():
    empty = Window(100, 100, 1, (10, 10))
    assert nuclei().inside(empty).shape == (0, 2)
    assert not nuclei().drawn(empty).any()


def test_fine_pixels_show_the_outlines_also_of_nuclei_that_reach_in():
    found = nuclei().drawn(Window(1, 0, 1, (6, 8)))
    assert found.tolist() == [
        [1, 0, 0, 0, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 1, 1, 0],
        [0, 0, 0, 0, 0, 1, 1, 0],
        [0, 0, 0, 0, 0, 0, 0, 0],
    ]


def test_coarse_pixels_show_soft_spots_as_large_as_the_nuclei():
    found = nuclei(SQUARES[1:]).drawn(Window(-30, -30, 4, (20, 24)))
    assert found.sum() == pytest.approx(4 + 16, rel=1e-3)
    # The centroids (7, 4) and (32, 22) lie in the pixels (8, 9) and (13, 15).
    assert np.unravel_index(found.argmax(), found.shape) == (13, 15)
    assert found[8, 9] == pytest.approx(found[13, 15] / 4, rel=0.01)


def test_a_finer_window_shows_the_same_nuclei_in_more_pixels():
    coarse = nuclei().drawn(Window(-30, -30, 4, (24, 24)))
    fine = nuclei().drawn(Window(-30, -30, 2, (48, 48)))
    np.testing.assert_allclose(coarse.sum(), fine.sum(), rtol=1e-3)


def test_around_a_point_lie_the_nuclei_whose_centroid_is_no_farther():
    assert nuclei().around(np.array([1.0, 4]), 3).tolist() == [0]
    assert nuclei().around(np.array([1.0, 4]), 6).tolist() == [0, 1]


def test_a_part_knows_its_own_nuclei_only():
    window = Window(0, 0, 1, (40, 40))
    part = nuclei().part(np.array([2, 0])).part(np.array([1, 0]))
    assert part.inside(window).tolist() == [[1, 1], [32, 22]]
    assert part.drawn(window).sum() == 4 + 16
    assert part.outlines().boxes().tolist() == [[0, 0, 2, 2], [30, 20, 34, 24]]
