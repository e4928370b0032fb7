"""From matrix, keypoints, or both to one map."""

import numpy as np
import pytest

from sthelar_build.core.placement import place
from sthelar_build.schema.frames import Affine, Frame

MATRIX = Affine(np.array([[0, 1.3, 10], [-1.3, 0, 900], [0, 0, 1]]), Frame.HE, Frame.MORPHOLOGY)
HE = np.array([[0, 0], [500, 30], [20, 600], [480, 610], [250, 300], [90, 410.0]])


def test_a_matrix_is_taken_as_it_is():
    placement = place(MATRIX, None, 0.2125)
    assert placement.he_to_morphology is MATRIX
    assert placement.record() is None


def test_keypoints_give_the_map_and_leave_one_out_residuals_in_um():
    fixed = MATRIX.apply(HE)
    fixed[5] += [100, 0]
    placement = place(None, (fixed, HE), 0.2125)
    np.testing.assert_allclose(placement.he_to_morphology.matrix, MATRIX.matrix, atol=1e-6)
    assert (placement.he_to_morphology.source, placement.he_to_morphology.target) == (
        "he",
        "morphology",
    )
    assert placement.rejected_um == pytest.approx((21.25,))
    assert max(placement.believed_um) < 1e-6
    record = placement.record()
    assert record["used"] == [True] * 5 + [False]
    assert record["residuals_um"][5] == pytest.approx(21.25)


def test_keypoints_beside_a_matrix_measure_it():
    fixed = MATRIX.apply(HE) + np.array([0, 10])
    placement = place(MATRIX, (fixed, HE), 0.2)
    assert placement.he_to_morphology is MATRIX
    assert placement.record()["residuals_um"] == pytest.approx([2] * 6)


def test_three_keypoints_have_no_residuals():
    placement = place(None, (MATRIX.apply(HE[:3]), HE[:3]), 0.2125)
    assert placement.record() == {"residuals_um": [None] * 3, "used": [True] * 3}
    assert placement.believed_um == ()


def test_nothing_is_refused():
    with pytest.raises(ValueError, match="expected a matrix"):
        place(None, None, 0.2)
