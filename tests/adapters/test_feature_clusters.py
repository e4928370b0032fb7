import numpy as np
import pytest

from sthelar_build.adapters.feature_clusters import Recipe, cluster_features

RECIPE = Recipe(variance=0.95, max_clusters=6, cluster_rows=1000, seed=42)


@pytest.fixture(scope="module")
def three_groups():
    rng = np.random.default_rng(0)
    centres = np.array([[0, 0, 30, 0], [40, 0, 0, 20], [0, 50, 0, 40]])
    group = rng.integers(0, 3, 300)
    return (centres[group] + rng.normal(size=(300, 4))).astype(np.float32), group


def cluster(features, size=64, recipe=RECIPE, threads=1):
    n = len(features)
    blocks = [slice(i, min(i + size, n)) for i in range(0, n, size)]
    return cluster_features(n, lambda rows: features[rows], blocks, recipe, threads)


def pairs(of_rows):
    return of_rows[:, None] == of_rows


def test_plain_groups_are_found_at_the_elbow(three_groups):
    features, group = three_groups
    found = cluster(features)
    np.testing.assert_array_equal(pairs(found.cluster), pairs(group))
    assert found.inertias == sorted(found.inertias, reverse=True)
    assert (len(found.inertias), found.n_fitted) == (6, 300)


def test_rows_outside_of_the_sample_go_to_the_nearest_centre(three_groups):
    features, group = three_groups
    found = cluster(features, recipe=RECIPE._replace(cluster_rows=60))
    assert found.n_fitted == 60
    np.testing.assert_array_equal(pairs(found.cluster), pairs(group))


def test_the_number_of_threads_changes_nothing(three_groups):
    features, _ = three_groups
    one, two = cluster(features), cluster(features, threads=2)
    np.testing.assert_array_equal(one.cluster, two.cluster)
    assert one.inertias == two.inertias


@pytest.mark.parametrize("n", [1, 2, 20])
def test_few_or_equal_rows_are_one_cluster(n):
    found = cluster(np.ones((n, 3), dtype=np.float32))
    assert found.cluster.tolist() == [0] * n
