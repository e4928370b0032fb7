"""By how much two drawings of the same nuclei differ."""

import numpy as np
import pytest

from sthelar_build.core.source_difference import (
    difference,
    difference_words,
    sampled_patches,
    source_words,
    tally,
)

POLYGONS = np.array([[1, 1, 0, 0], [1, 1, 0, 2], [3, 0, 0, 2], [0, 0, 5, 5]], dtype=np.uint32)
RASTER = np.array([[1, 1, 1, 0], [1, 0, 0, 2], [4, 0, 0, 2], [0, 0, 0, 5]], dtype=np.uint32)


def test_pixels_and_nuclei_of_a_patch_are_compared():
    found = tally(POLYGONS, RASTER)
    # In both: three of nucleus 1, two of 2, one that is 3 here and 4 there, one of 5.
    assert (found.common_px, found.either_px) == (7, 10)
    assert found.ious.tolist() == [3 / 5, 1, 1 / 2]
    assert (found.polygons_only, found.raster_only) == (1, 1)


def test_nuclei_that_both_show_but_nowhere_together_share_nothing():
    found = tally(np.array([[1, 0]], np.uint32), np.array([[0, 1]], np.uint32))
    assert found.ious.tolist() == [0]
    assert (found.common_px, found.either_px) == (0, 2)


def test_patches_are_summed_by_pixels_and_by_nuclei():
    found = difference([tally(POLYGONS, RASTER), tally(RASTER, RASTER)])
    assert found.n_patches == 2
    assert found.foreground_iou == (7 + 8) / (10 + 8)
    assert (found.n_common, found.n_polygons_only, found.n_raster_only) == (7, 1, 1)
    assert found.nucleus_iou_median == 1
    assert found.nucleus_iou_p05 == pytest.approx(np.quantile([0.5, 0.6, 1, 1, 1, 1, 1], 0.05))


def test_without_nuclei_nothing_is_measured():
    empty = np.zeros((4, 4), np.uint32)
    for found in (difference([]), difference([tally(empty, empty)])):
        assert found.foreground_iou is None
        assert found.nucleus_iou_median is None
        assert found.n_common == 0


def test_patches_with_nuclei_are_sampled_evenly():
    complete = np.ones((3, 4), dtype=bool)
    complete[:, 3] = False
    centres = np.array([[5, 5], [6, 5], [15, 5], [5, 15], [25, 25], [35, 25], [-1, 5], [5, 99]])
    assert sampled_patches(centres, complete, 10, 64).tolist() == [0, 1, 4, 10]
    assert sampled_patches(centres, complete, 10, 2).tolist() == [0, 10]
    assert sampled_patches(centres, complete, 10, 1).tolist() == [0]
    assert sampled_patches(np.empty((0, 2)), complete, 10, 64).tolist() == []


def test_the_difference_is_one_line_of_text():
    assert difference_words(difference([tally(POLYGONS, RASTER)])) == (
        "outlines and raster on 1 patches: they share 70.0 % of their pixels (IoU), and 60.0 % of the median nucleus "
        "(5th percentile 51.0 %) among 3 that both show; 1 only in the outlines, 1 only in the raster"
    )


def test_a_manifest_says_what_was_drawn_and_why_nothing_was_compared():
    manifest = {"source": "polygons", "difference": None, "difference_reason": "no_raster"}
    assert source_words(manifest) == (
        "Drawn from the outlines of the bundle, which are simplified. "
        "Outlines and raster were not compared: there is no raster of these nuclei."
    )
    found = {**manifest, "source": "raster", "difference": vars(difference([]))}
    assert "which is exact. Outlines and raster on 0 patches" in source_words(found)
    assert source_words({"n_patches": 3}) is None
