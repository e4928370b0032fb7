import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from sthelar_build.core.feature_clusters import added, components, elbow, moments, nearest


@pytest.fixture(scope="module")
def features():
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 6)) + 0.3 * rng.normal(size=(200, 6))
    return (mixed * [1, 100, 1, 1, 0.01, 1] + [0, 5000, 0, 0, 0, 0]).astype(np.float32)


def in_blocks(features, size):
    origin = features[:size].mean(axis=0, dtype=np.float64)
    blocks = [features[i : i + size] for i in range(0, len(features), size)]
    return added(moments(block, origin) for block in blocks)


@pytest.mark.parametrize("size", [7, 200])
def test_components_in_blocks_are_those_of_scikit_learn_up_to_their_sign(features, size):
    found = components(in_blocks(features, size), 0.95)
    expected = PCA(0.95, svd_solver="full").fit_transform(StandardScaler().fit_transform(features))
    ours = found.of(features)
    assert ours.shape == expected.shape
    signs = np.sign((ours * expected).sum(axis=0))
    np.testing.assert_allclose(ours, expected * signs, atol=2e-3)


def test_a_feature_that_does_not_vary_stays_out():
    features = np.array([[1, 5, 0], [2, 5, 1], [3, 5, 2]], dtype=np.float32)
    found = components(in_blocks(features, 3), 0.95)
    assert found.basis.shape == (3, 1)
    assert found.basis[1, 0] == 0
    np.testing.assert_allclose(found.of(features)[:, 0], [-np.sqrt(3), 0, np.sqrt(3)], rtol=1e-5)


def test_one_row_has_one_component_of_zero():
    found = components(in_blocks(np.ones((1, 4), np.float32), 1), 0.95)
    np.testing.assert_array_equal(found.of(np.ones((1, 4), np.float32)), [[0]])


@pytest.mark.parametrize(
    ("inertias", "k"),
    [
        ([100, 50, 10, 9, 8, 7], 3),
        ([100, 20, 15, 12, 10], 2),
        ([100, 75, 50, 25, 0], 1),  # a straight line
        ([0, 0, 0], 1),  # all rows are equal
        ([100, 10], 1),
        ([5], 1),
    ],
)
def test_the_elbow_lies_farthest_below_the_line_from_first_to_last(inertias, k):
    assert elbow(inertias) == k


def test_a_point_belongs_to_the_nearest_centre_and_to_the_first_of_a_tie():
    centres = np.array([[0, 0], [10, 0]], dtype=np.float32)
    points = np.array([[1, 1], [9, 3], [5, 0]], dtype=np.float32)
    assert nearest(points, centres).tolist() == [0, 1, 0]
