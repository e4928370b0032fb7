import numpy as np
from shapely import box

from sthelar_build.core.simulation.dapi import labels_on_grid


def test_a_pixel_belongs_to_a_shape_when_its_centre_does():
    labels = labels_on_grid(np.array([box(0.6, 0, 2.4, 1)], dtype=object), 1.0, (2, 4))
    assert labels.tolist() == [[0, 1, 0, 0], [0, 0, 0, 0]]


def test_scale_is_in_pixels_per_um():
    labels = labels_on_grid(np.array([box(0, 0, 1, 1)], dtype=object), 2.0, (4, 4))
    assert (labels > 0).sum() == 4


def test_the_last_shape_keeps_shared_pixels():
    shapes = np.array([box(0, 0, 3, 1), box(1, 0, 2, 1)], dtype=object)
    assert labels_on_grid(shapes, 1.0, (1, 3)).tolist() == [[1, 2, 1]]


def test_nothing_to_draw_is_background():
    assert not labels_on_grid(np.zeros(0, dtype=object), 1.0, (2, 2)).any()
