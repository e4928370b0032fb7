import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sthelar_build.core.hv_targets import hv_targets


def plain_targets(instances):
    """The definition, one nucleus after the other."""
    found = np.zeros((2, *instances.shape))
    for instance in np.unique(instances[instances != 0]):
        ys, xs = np.nonzero(instances == instance)
        for axis, at in enumerate((xs, ys)):
            distance = at - np.floor(at.mean() + 0.5)
            for side in (distance < 0, distance > 0):
                if side.any():
                    distance[side] /= np.abs(distance[side]).max()
            found[axis, ys, xs] = distance
    return found


def test_a_row_of_five_pixels_runs_from_minus_one_to_one():
    along, across = hv_targets(np.array([[0, 7, 7, 7, 7, 7, 0]]))
    assert along.tolist() == [[0, -1, -0.5, 0, 0.5, 1, 0]]
    assert not across.any()


def test_both_sides_are_scaled_by_themselves():
    instances = np.array([[1, 1, 1, 1], [0, 0, 0, 1], [0, 0, 0, 1]])
    along, across = hv_targets(instances)
    # The centre of mass (2, 0.5) is rounded up to (2, 1): two columns lie before it, one behind.
    assert along[0].tolist() == [-1, -0.5, 0, 1]
    assert across[:, 3].tolist() == [-1, 0, 1]


def test_one_pixel_is_its_own_centre_and_nothing_has_no_targets():
    assert not hv_targets(np.eye(1, dtype=np.int32)).any()
    assert hv_targets(np.zeros((3, 4), dtype=np.uint32)).shape == (2, 3, 4)
    assert not hv_targets(np.zeros((3, 4), dtype=np.uint32)).any()


def test_ids_may_be_large_and_negative_ones_are_instances_too():
    few = np.array([[1, 1, 1, 0, 2, 2, 2]])
    many = np.array([[0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0, -5, -5, -5]])
    assert_array_equal(hv_targets(many), hv_targets(few))


@given(st.integers(0, 2**31), st.integers(1, 30), st.integers(1, 20), st.integers(1, 20))
def test_it_is_the_plain_definition(seed, n, height, width):
    instances = np.random.default_rng(seed).integers(0, n, (height, width))
    assert_allclose(hv_targets(instances), plain_targets(instances), atol=1e-6)


@given(st.integers(0, 2**31))
def test_a_symmetric_nucleus_has_antisymmetric_distances(seed):
    half = np.random.default_rng(seed).integers(0, 2, (9, 4))
    nucleus = np.hstack([half, np.ones((9, 1), dtype=int), half[:, ::-1]])
    along, _ = hv_targets(nucleus)
    assert_allclose(along, -along[:, ::-1])
