"""Predicted maps: foreground that is no instance is kept apart, and nuclei are described as they lie."""

import numpy as np
import pytest

from sthelar_build.core.predicted_maps import (
    UNASSIGNED,
    PredictedPatch,
    nuclei_of,
    with_unassigned,
    without_unassigned,
)

INSTANCES = np.array([[0, 5, 5, 0], [0, 0, 5, 0], [2, 0, 0, 0]], dtype=np.int32)
NUCLEUS = np.array([[0, 1, 1, 0], [0, 0, 1, 1], [1, 0, 0, 0]], dtype=np.uint8)


def test_foreground_without_an_instance_is_unassigned():
    found = with_unassigned(INSTANCES, NUCLEUS)
    assert found.dtype == np.uint32
    assert found.tolist() == [[0, 5, 5, 0], [0, 0, 5, UNASSIGNED], [2, 0, 0, 0]]
    np.testing.assert_array_equal(found != 0, NUCLEUS != 0)
    np.testing.assert_array_equal(without_unassigned(found), INSTANCES)


def test_an_instance_outside_the_foreground_is_refused():
    with pytest.raises(ValueError, match="where the network sees nuclei only"):
        with_unassigned(INSTANCES, np.zeros_like(NUCLEUS))


def test_every_instance_is_described_be_it_one_pixel():
    nuclei = nuclei_of(INSTANCES.astype(np.uint32))
    assert nuclei.ids.tolist() == [2, 5]
    assert nuclei.bbox.tolist() == [[2, 0, 3, 1], [0, 1, 2, 3]]
    np.testing.assert_allclose(nuclei.centroid_px, [[0.5, 2.5], [5 / 3 + 0.5, 1 / 3 + 0.5]])
    assert nuclei.type_index is None


@pytest.mark.parametrize("value", [0, 7])
def test_a_map_of_one_value_has_no_nucleus_or_one(value):
    nuclei = nuclei_of(np.full((2, 2), value, np.uint32))
    assert nuclei.ids.tolist() == [value][: bool(value)]
    assert len(nuclei.bbox) == len(nuclei.centroid_px) == bool(value)


def test_pixels_that_are_called_nucleus_are_counted_whatever_they_belong_to():
    found = with_unassigned(INSTANCES, NUCLEUS)
    assert PredictedPatch(0, found, nuclei_of(found)).nucleus_px == 5
