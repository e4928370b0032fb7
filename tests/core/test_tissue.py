"""Looking up whether there is tissue at a point."""

import numpy as np

from sthelar_build.core.tissue import TissueMap

MASK = np.array([[1, 1, 0, 0], [1, 0, 0, 0]], dtype=bool)


def test_points_are_looked_up_in_pixels_of_the_h_and_e():
    tissue = TissueMap(MASK, width_px=400, height_px=200)
    points = [[50, 50], [199.9, 99], [200, 50], [50, 150], [150, 150]]
    assert tissue.at(points).tolist() == [True, True, False, True, False]


def test_outside_the_image_there_is_no_tissue():
    tissue = TissueMap(np.ones((2, 4), dtype=bool), 400, 200)
    points = [[-1, 50], [50, -0.1], [400, 50], [50, 200], [399.9, 199.9]]
    assert tissue.at(points).tolist() == [False, False, False, False, True]


def test_tissue_has_a_margin():
    around = TissueMap.around(MASK, 400, 200)
    assert around.mask.astype(int).tolist() == [[1, 1, 1, 0], [1, 1, 1, 0]]


def test_no_points_are_no_answers():
    assert TissueMap(MASK, 400, 200).at(np.empty((0, 2))).shape == (0,)
