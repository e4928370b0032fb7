"""Nuclei from the raster."""

import numpy as np
import pytest

from sthelar_build.core import raster_places
from sthelar_build.core.raster_places import ToRaster
from sthelar_build.core.raster_source import LabelledNuclei, sample_strip, sampled
from sthelar_build.schema.frames import Affine, Frame

RASTER = np.array(
    [
        [5, 5, 0, 9, 9, 0],
        [5, 5, 0, 9, 9, 0],
        [0, 0, 0, 9, 9, 0],
        [3, 3, 3, 0, 0, 7],
    ],
    dtype=np.uint32,
)
NUCLEI = LabelledNuclei.of(
    labels=[3, 9, 5],
    nucleus_id=np.array([30, 90, 50], dtype=np.uint32),
    class_index=np.array([1, 2, 6], dtype=np.uint8),
    area_px=np.array([3.0, 12.0, 4.0]),
)


def window(top, left, bottom, right):
    padded = np.pad(RASTER, 50)
    return padded[top + 50 : bottom + 50, left + 50 : right + 50]


def to_raster(matrix=((1, 0, 0), (0, 1, 0)), downsample=1.0):
    affine = Affine(np.array([*matrix, (0, 0, 1)], dtype=float), Frame.HE, Frame.MORPHOLOGY)
    return ToRaster(affine, downsample, 0.2125)


def strip(lefts, top, side, min_visible_px=1, **place):
    lefts = np.array(lefts, dtype=np.int64)
    return sample_strip(NUCLEI, to_raster(**place), window, lefts, top, side, min_visible_px)


def test_every_place_takes_the_value_of_its_pixel():
    rows, columns = np.array([[0, 1], [2, 3]]), np.array([[0, 4], [3, 5]])
    assert sampled(RASTER, rows, columns).tolist() == [[5, 9], [9, 7]]


def test_on_the_same_pixels_labels_become_nucleus_ids_and_others_background():
    maps, visible, n_slivers = strip([0, 2], 0, 4)
    assert maps.tolist() == [
        [[50, 50, 0, 90], [50, 50, 0, 90], [0, 0, 0, 90], [30, 30, 30, 0]],
        [[0, 90, 90, 0], [0, 90, 90, 0], [0, 90, 90, 0], [30, 0, 0, 0]],  # 7 is no nucleus
    ]
    assert visible.patch.tolist() == [0, 0, 0, 1, 1]
    assert visible.nucleus_id.tolist() == [30, 50, 90, 30, 90]
    assert visible.class_index.tolist() == [1, 6, 2, 1, 2]
    assert visible.visible_px.tolist() == [3, 4, 3, 1, 6]
    assert visible.visible_fraction.tolist() == [1, 1, 0.25, np.float32(1 / 3), 0.5]
    assert visible.touches_border.tolist() == [True] * 5
    assert n_slivers == 0


def test_slivers_are_not_drawn():
    maps, visible, n_slivers = strip([0, 2], 0, 4, min_visible_px=4)
    assert np.unique(maps).tolist() == [0, 50, 90]
    assert visible.visible_px.tolist() == [4, 6]
    assert n_slivers == 3


def test_half_a_pixel_further_the_next_pixel_counts():
    (patch,), *_ = strip([0], 0, 2, matrix=((1, 0, 0.4), (0, 1, 0)))
    assert patch.tolist() == [[50, 50], [50, 50]]
    (patch,), *_ = strip([0], 0, 2, matrix=((1, 0, 0.6), (0, 1, 0)))
    assert patch.tolist() == [[50, 0], [50, 0]]


def test_a_turned_and_mirrored_raster_is_turned_and_mirrored_back():
    (turned,), *_ = strip([0], 0, 4, matrix=((0, 1, 0), (1, 0, 0)))  # x and y change places
    known = np.where(RASTER == 7, 0, RASTER * 10)
    np.testing.assert_array_equal(turned, known[:, :4].T)
    (mirrored,), *_ = strip([0], 0, 4, matrix=((-1, 0, 6), (0, 1, 0)))
    np.testing.assert_array_equal(mirrored, known[:, :1:-1])


def test_a_coarser_scale_takes_the_pixel_at_each_centre():
    (patch,), *_ = strip([0], 0, 2, downsample=2.0)
    assert patch.tolist() == [[50, 90], [30, 0]]  # raster pixels (1, 1), (1, 3), (3, 1), (3, 3)


def test_beyond_the_raster_there_is_background():
    (patch,), *_ = strip([-2], -3, 4)
    assert patch.tolist() == [[0, 0, 0, 0]] * 3 + [[0, 0, 50, 50]]
    maps, visible, _ = strip([40], 0, 4)
    assert not maps.any()
    assert len(visible.patch) == 0


def test_blocks_of_any_size_give_the_same(monkeypatch):
    place = {"matrix": ((0.8, -0.6, 2), (0.6, 0.8, -1))}
    whole, *_ = strip([0, 2, 4], 0, 5, **place)
    assert whole.any()
    monkeypatch.setattr(raster_places, "_BLOCK_RASTER_PX", 2)
    np.testing.assert_array_equal(strip([0, 2, 4], 0, 5, **place)[0], whole)


def test_a_row_without_patches_is_empty():
    maps, visible, _ = strip([], 0, 4)
    assert maps.shape == (0, 4, 4)
    assert len(visible.patch) == 0


@pytest.mark.parametrize("labels", [[1, 1, 2], [0, 1, 2]])
def test_labels_that_repeat_or_mean_background_are_refused(labels):
    with pytest.raises(ValueError, match="positive and distinct"):
        LabelledNuclei.of(labels, NUCLEI.nucleus_id, NUCLEI.class_index, NUCLEI.area_px)
