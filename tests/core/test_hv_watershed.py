"""Flooding from markers: that of scikit-image, ties and plateaus included."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.segmentation import watershed

from sthelar_build.core.connected import connected_parts
from sthelar_build.core.hv_watershed import flood


def flooded(relief, markers, mask=None):
    relief, markers = np.array(relief, dtype=float), np.array(markers, dtype=np.int32)
    parts = connected_parts(np.ones(relief.shape, bool) if mask is None else np.array(mask))[0]
    return flood(relief, markers, parts)


def test_basins_meet_on_the_ridge_which_goes_to_the_one_whose_way_up_is_lower():
    found = flooded([[0, 1, 2, 9, 1, 0]], [[1, 0, 0, 0, 0, 2]])
    assert found.tolist() == [[1, 1, 1, 2, 2, 2]]


def test_a_plateau_is_shared_by_the_distance_to_the_markers():
    assert flooded([[0] * 6], [[3, 0, 0, 0, 0, 7]]).tolist() == [[3, 3, 3, 7, 7, 7]]


def test_a_part_with_one_marker_is_filled_and_one_without_stays_empty():
    mask = [[1, 1, 0, 1, 1, 0, 1]]
    found = flooded([[5, 0, 0, 9, 1, 0, 0]], [[0, 4, 0, 0, 0, 0, 2]], mask)
    assert found.tolist() == [[4, 4, 0, 0, 0, 0, 2]]


def test_markers_outside_the_mask_do_not_count():
    assert flooded([[0, 0, 0]], [[1, 0, 2]], [[0, 1, 1]]).tolist() == [[0, 2, 2]]


def test_a_hollow_without_a_marker_belongs_to_who_gets_over_its_ridge_first():
    # 1 is over its ridge of 4, and up the wall behind the hollow, before 2 is over its terrace of 5.
    relief, markers = [[0, 4, 1, 1, 5, 5, 0]], [[1, 0, 0, 0, 0, 0, 2]]
    assert flooded(relief, markers).tolist() == [[1, 1, 1, 1, 1, 2, 2]]


def test_nothing_floods_nothing():
    assert flooded(np.zeros((0, 3)), np.zeros((0, 3))).shape == (0, 3)
    assert not flooded(np.zeros((2, 3)), np.zeros((2, 3))).any()


def levels(rng, shape, kind):
    smooth = ndimage.gaussian_filter(rng.normal(size=shape), 1.5)
    return {
        "all different": rng.normal(size=shape),
        "smooth": smooth,
        "few levels": rng.integers(0, 3, shape).astype(float),
        "flat": np.zeros(shape),
        "terraces": np.round(smooth * 8) / 8,
        "cones": -ndimage.distance_transform_edt(smooth > 0),
    }[kind]


@pytest.mark.parametrize(
    "kind", ["all different", "smooth", "few levels", "flat", "terraces", "cones"]
)
def test_random_reliefs_are_flooded_as_by_scikit_image(kind):
    rng = np.random.default_rng(3)
    for _ in range(150):
        shape = tuple(rng.integers(1, 40, 2))
        relief = levels(rng, shape, kind)
        mask = ndimage.gaussian_filter(rng.normal(size=shape), 2) > rng.normal(0, 0.1)
        markers = ndimage.label(rng.random(shape) < rng.uniform(0, 0.3))[0].astype(np.int32)
        found = flooded(relief, markers, mask)
        np.testing.assert_array_equal(found, watershed(relief, markers=markers, mask=mask))
