import numpy as np

from sthelar_build.core.simulation.grid import Grid

GRID = Grid.around(10, 6, pad_um=2, step_um=1)


def test_a_grid_covers_the_region_and_its_pad():
    assert GRID.shape == (10, 14)
    assert GRID.bounds_um == (-2, -2, 12, 8)


def test_pixel_centres_are_half_a_step_in():
    x, y = GRID.centres()
    assert (x[0, 0], y[0, 0]) == (-1.5, -1.5)
    assert (x[-1, -1], y[-1, -1]) == (11.5, 7.5)


def test_a_point_reads_the_pixel_that_holds_it_and_outside_the_nearest():
    x, _ = GRID.centres()
    points = np.array([[0.0, 0.0], [0.99, 0.0], [1.0, 0.0], [-50.0, 0.0], [50.0, 0.0]])
    assert GRID.at(x, points).tolist() == [0.5, 0.5, 1.5, -1.5, 11.5]
