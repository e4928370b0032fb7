"""Transforms know where they come from and go to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from sthelar_build.schema.frames import Affine, Frame

QUARTER_TURN = Affine(np.array([[0, -2, 10], [2, 0, 0], [0, 0, 1]]), Frame.HE, Frame.MORPHOLOGY)


def test_a_point_is_turned_scaled_and_moved():
    assert QUARTER_TURN.apply([[1, 0], [0, 1]]).tolist() == [[10, 2], [8, 0]]


def test_the_scale_is_read_off_the_matrix_mirrored_or_not():
    mirror = Affine(np.diag([-3.0, 3.0, 1.0]), Frame.HE, Frame.MORPHOLOGY)
    assert (QUARTER_TURN.scale, mirror.scale) == pytest.approx((2, 3))


def test_frames_that_meet_are_chained_and_others_refused():
    to_um = Affine.scaling(0.2125, Frame.MORPHOLOGY, Frame.UM)
    assert QUARTER_TURN.then(to_um).apply([[0, 0]]).tolist() == [[2.125, 0]]
    with pytest.raises(ValueError, match="cannot chain morphology->um with he->morphology"):
        to_um.then(QUARTER_TURN)


def test_a_polygon_is_mapped_vertex_by_vertex():
    (mapped,) = QUARTER_TURN.apply_to_geometries([box(0, 0, 1, 1)])
    assert mapped.bounds == (8, 0, 10, 2)


def test_a_matrix_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="3x3"):
        Affine(np.eye(2), Frame.HE, Frame.UM)


@given(
    st.floats(0.1, 10), st.floats(-3, 3), st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), st.booleans()
)
def test_the_inverse_brings_every_point_back(scale, angle, x, y, mirrored):
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    flip = -1 if mirrored else 1
    matrix = np.array([[cos * flip, -sin, x], [sin * flip, cos, y], [0, 0, 1]])
    there = Affine(matrix, Frame.HE, Frame.MORPHOLOGY)
    back = there.then(there.inverse())
    np.testing.assert_allclose(back.apply([[12.5, -7]]), [[12.5, -7]], atol=1e-6)
    assert back.target is Frame.HE


def test_an_affine_map_is_the_same_everywhere():
    assert QUARTER_TURN.near([[5, 5], [9, 9], [1, 3]]) is QUARTER_TURN
