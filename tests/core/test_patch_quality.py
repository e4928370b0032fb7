"""One patch as the original's evaluation sees it."""

import numpy as np

from sthelar_build.core.patch_quality import FoundNuclei, patch_quality

TRUE = np.zeros((12, 12), np.uint32)
TRUE[1:5, 1:5] = 3
TRUE[7:11, 7:11] = 8
TYPES = np.where(TRUE == 3, 1, np.where(TRUE == 8, 2, 0)).astype(np.uint8)
POINTS = np.array([[2.5, 2.5], [8.5, 8.5]])


def test_a_nucleus_of_the_wrong_type_counts_for_all_but_its_class():
    found = FoundNuclei(np.array([3, 8]), np.array([1, 1]), POINTS)
    quality = patch_quality(("s_1.png", "Skin"), (TRUE, TYPES), (TRUE, TRUE, found), 12.0, 3)
    assert (quality.name, quality.tissue) == ("s_1.png", "Skin")
    assert quality.binary.dice == 1
    assert quality.binary.bpq > 0.999
    assert quality.classes.pq[2] == 0
    assert 0.6 < quality.classes.pq[1] < 0.7
    assert (quality.detection.tp, quality.detection.fp, quality.detection.fn) == (2, 0, 0)
    assert quality.detection.both.tolist() == [0, 1, 0]


def test_a_nucleus_without_a_type_is_foreground_and_detected_but_no_object():
    found = FoundNuclei(np.array([3, 8]), np.array([1, 0]), POINTS)
    quality = patch_quality(("s_1.png", "Skin"), (TRUE, TYPES), (TRUE, TRUE, found), 12.0, 3)
    assert quality.binary.dice == 1
    assert quality.binary.n_predicted == 1
    assert quality.detection.tp == 2
