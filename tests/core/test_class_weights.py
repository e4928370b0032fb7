"""Class weights equal the published ones, which came from these counts."""

import numpy as np

from sthelar_build.core.class_weights import class_weights

DS_1 = np.array([2896163, 1924827, 2463660, 1525344, 2643322, 6717269, 76462, 319073, 1183773])
DS_4 = np.array([7284650, 4168666, 6717269, 319073, 1260235])


def test_nine_classes_with_the_last_ignored_weigh_as_published():
    published = [0.057, 0.086, 0.101, 0.092, 0.11, 0.089, 0.057, 0.231, 0.173, 0.006]
    np.testing.assert_allclose(class_weights(DS_1, ignored=8), published, atol=0.0015)


def test_nine_classes_with_none_ignored_weigh_as_published():
    # Published without counting the background into the sum.
    published = [0.081, 0.095, 0.087, 0.104, 0.084, 0.054, 0.219, 0.163, 0.113]
    weights = class_weights(DS_1)
    np.testing.assert_allclose(weights[1:] / weights[1:].sum(), published, atol=0.0015)


def test_five_classes_weigh_as_published():
    published = [0.131, 0.131, 0.175, 0.137, 0.414, 0.013]
    np.testing.assert_allclose(class_weights(DS_4, ignored=4), published, atol=0.0015)


def test_a_class_without_nuclei_weighs_nothing_and_no_nuclei_at_all_weigh_evenly():
    assert class_weights(np.array([5, 0, 5]))[2] == 0
    np.testing.assert_allclose(class_weights(np.array([0, 0])), 1 / 3)
    np.testing.assert_allclose(class_weights(np.array([0, 4]), ignored=1).sum(), 1)
