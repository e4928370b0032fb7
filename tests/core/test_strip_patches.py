"""Patches cut from a drawn strip."""

import numpy as np

from sthelar_build.core.raster import Spans
from sthelar_build.core.strip_patches import Overlaps, Strip, strip_shape

CANVAS = np.array([[1, 1, 1, 0, 2, 2], [1, 1, 1, 0, 2, 2], [0, 0, 0, 0, 0, 2]], dtype=np.int32)
KNOWN = (
    np.array([70, 40], dtype=np.uint32),
    np.array([3, 5], dtype=np.uint8),
    np.array([6.0, 10.0]),
)


def test_patches_show_the_ids_of_the_nuclei_and_the_table_is_by_patch_and_id():
    maps, visible, n_slivers = Strip(10, CANVAS, *KNOWN).patches(np.array([10, 12, 13]), 1)
    assert maps.tolist() == [
        [[70, 70, 70], [70, 70, 70], [0, 0, 0]],
        [[70, 0, 40], [70, 0, 40], [0, 0, 0]],
        [[0, 40, 40], [0, 40, 40], [0, 0, 40]],
    ]
    assert visible.patch.tolist() == [0, 1, 1, 2]
    assert visible.nucleus_id.tolist() == [70, 40, 70, 40]
    assert visible.class_index.tolist() == [3, 5, 3, 5]
    assert visible.visible_px.tolist() == [6, 2, 2, 5]
    np.testing.assert_allclose(visible.visible_fraction, [1, 0.2, 1 / 3, 0.5])
    assert n_slivers == 0


def test_slivers_of_nuclei_that_do_not_overlap_become_background():
    maps, visible, n_slivers = Strip(10, CANVAS, *KNOWN).patches(np.array([12]), 3)
    assert not maps.any()
    assert len(visible.patch) == 0
    assert n_slivers == 2


def test_where_nuclei_overlap_what_a_sliver_covered_shows():
    canvas = np.array([[1, 2], [1, 1]], dtype=np.int32)
    number = np.array([0, 0, 1])
    spans = Spans(number, np.array([0, 1, 0]), np.array([0, 0, 1]), np.array([2, 2, 2]))
    shared = np.array([[False, True], [False, False]])
    strip = Strip(0, canvas, *KNOWN, Overlaps(spans, shared))
    assert strip.patches(np.array([0]), 1)[0].tolist() == [[[70, 40], [70, 70]]]
    maps, visible, n_slivers = strip.patches(np.array([0]), 2)
    assert maps.tolist() == [[[70, 70], [70, 70]]]
    assert visible.visible_px.tolist() == [4]
    assert n_slivers == 1


def test_a_strip_is_as_wide_as_its_patches_reach():
    assert strip_shape(np.array([5, 8, 11]), 4) == (4, 10)
    assert strip_shape(np.empty(0, np.int64), 4) == (4, 0)
