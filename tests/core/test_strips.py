"""Strips of patches equal patches drawn one by one."""

import numpy as np
import pytest
import shapely
from shapely import box

from sthelar_build.core.raster import instance_map
from sthelar_build.core.strips import Nuclei, draw_strip
from sthelar_build.schema.frames import Affine, Frame

SIDE, STRIDE = 32, 24
LEFTS = np.arange(6) * STRIDE
UM_TO_HE = Affine(np.array([[0, 2.0, 3], [-2.0, 0, 130], [0, 0, 1]]), Frame.UM, Frame.HE)


def many(n, seed):
    rng = np.random.default_rng(seed)
    spots = shapely.points(rng.uniform(0, 80, (n, 2)))
    return shapely.buffer(spots, rng.uniform(1, 4, n), quad_segs=4)


def prepared(geometries_um, downsample=1.0):
    ids = np.arange(1, len(geometries_um) + 1, dtype=np.uint32)
    classes = (ids % 9 + 1).astype(np.uint8)
    return Nuclei.of([np.asarray(geometries_um)], ids, classes, UM_TO_HE, downsample)


@pytest.mark.parametrize("min_visible_px", [0, 1, 10, 60])
@pytest.mark.parametrize("downsample", [1.0, 2.0, 1.7])
def test_every_patch_is_drawn_as_if_it_were_alone(min_visible_px, downsample):
    geometries = many(220, seed=4)
    top = 24
    maps, visible, n_slivers = draw_strip(
        prepared(geometries, downsample), LEFTS, top, SIDE, min_visible_px
    )
    pixels = UM_TO_HE.apply_to_geometries(geometries)
    ids = np.arange(1, len(geometries) + 1)
    for patch, left in enumerate(LEFTS):
        moved = shapely.transform(pixels, lambda xy, at=(left, top): xy / downsample - at)
        alone = instance_map(moved, ids, (SIDE, SIDE), min_visible_px)
        np.testing.assert_array_equal(maps[patch], alone)
        known, count = np.unique(alone[alone > 0], return_counts=True)
        border = np.concatenate([alone[0], alone[-1], alone[:, 0], alone[:, -1]])
        here = visible.patch == patch
        assert visible.nucleus_id[here].tolist() == known.tolist()
        assert visible.visible_px[here].tolist() == count.tolist()
        assert visible.touches_border[here].tolist() == np.isin(known, border).tolist()
        assert (count >= min_visible_px).all()
    assert (n_slivers > 0) == (min_visible_px > 1)
    assert (visible.class_index == visible.nucleus_id % 9 + 1).all()


def test_the_visible_fraction_is_of_the_whole_polygon():
    halves = box(0, 0, 64, 10), box(6, 12, 16, 22)
    nuclei = Nuclei.of(
        [np.array(halves)],
        np.array([1, 2], dtype=np.uint32),
        np.array([1, 1], dtype=np.uint8),
        Affine(np.eye(3), Frame.UM, Frame.HE),
        1.0,
    )
    _, visible, _ = draw_strip(nuclei, np.array([0]), 0, SIDE, 10)
    assert visible.nucleus_id.tolist() == [1, 2]
    assert visible.visible_px.tolist() == [320, 100]
    assert visible.visible_fraction.tolist() == [0.5, 1]
    assert visible.touches_border.tolist() == [True, False]


def test_a_strip_without_nuclei_or_without_patches_is_empty():
    maps, visible, n_slivers = draw_strip(prepared(many(5, 1)), LEFTS, 10_000, SIDE, 10)
    assert not maps.any()
    assert len(visible.patch) == n_slivers == 0
    maps, visible, _ = draw_strip(prepared(many(5, 1)), np.empty(0, np.int64), 0, SIDE, 10)
    assert maps.shape == (0, SIDE, SIDE)
    assert len(visible.patch) == 0
    maps, _, _ = draw_strip(prepared([]), LEFTS, 0, SIDE, 10)
    assert not maps.any()


def drawn_as_they_are(polygons, lefts, side, min_visible_px, classes=None):
    """Draw polygons that are in pixels already."""
    ids = np.arange(1, len(polygons) + 1, dtype=np.uint32)
    known = ids, np.array(classes or [1] * len(ids), dtype=np.uint8)
    same = Affine(np.eye(3), Frame.UM, Frame.HE)
    nuclei = Nuclei.of([np.array(polygons)], *known, same, 1.0)
    return draw_strip(nuclei, np.array(lefts), 0, side, min_visible_px)


def test_a_nucleus_is_in_every_patch_that_shows_it_and_a_sliver_of_it_in_none():
    wide, low = box(1, 0, 5, 2), box(6, 2, 8, 4)
    maps, visible, n_slivers = drawn_as_they_are([wide, low], [0, 2, 4], 4, 3)
    assert maps.tolist() == [
        [[0, 1, 1, 1], [0, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]],
        [[1, 1, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
        [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 2, 2], [0, 0, 2, 2]],
    ]
    assert n_slivers == 1
    assert visible.patch.tolist() == [0, 1, 2]
    assert visible.visible_px.tolist() == [6, 6, 4]
    assert visible.visible_fraction.tolist() == [0.75, 0.75, 1]
    assert visible.touches_border.all()


def test_what_lies_beneath_a_sliver_shows_in_the_patch_that_leaves_it_out_and_only_there():
    large, small = box(0, 0, 8, 4), box(3, 0, 6, 1)
    maps, _, n_slivers = drawn_as_they_are([large, small], [0, 4], 4, 2)
    assert maps[:, 0].tolist() == [[1, 1, 1, 1], [2, 2, 1, 1]]
    assert n_slivers == 1


def test_two_nuclei_of_one_cell_are_two_instances_of_its_class():
    maps, visible, _ = drawn_as_they_are(
        [box(0, 0, 2, 2), box(2, 0, 4, 2)], [0], 4, 1, classes=[6, 6]
    )
    assert maps[0].tolist() == [[1, 1, 2, 2], [1, 1, 2, 2], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert visible.nucleus_id.tolist() == [1, 2]
    assert visible.class_index.tolist() == [6, 6]


def test_a_nucleus_inside_a_patch_touches_no_border():
    _, visible, _ = drawn_as_they_are([box(1, 1, 3, 3), box(0, 3, 1, 4)], [0], 4, 1)
    assert visible.touches_border.tolist() == [False, True]


def test_nuclei_may_come_in_batches():
    squares = np.array([box(x, 4, x + 20, 24) for x in (0, 10, 30, 35)])
    ids = np.array([4, 3, 2, 1], dtype=np.uint32)
    known = ids, np.ones(4, np.uint8), Affine(np.eye(3), Frame.UM, Frame.HE), 1.0
    at_once = draw_strip(Nuclei.of([squares], *known), np.array([0]), 0, SIDE, 1)[0]
    in_three = Nuclei.of([squares[:1], squares[1:1], squares[1:]], *known)
    np.testing.assert_array_equal(draw_strip(in_three, np.array([0]), 0, SIDE, 1)[0], at_once)


def test_a_slide_without_nuclei_has_empty_maps():
    none = np.array([], dtype=np.uint32), np.array([], dtype=np.uint8)
    nuclei = Nuclei.of([], *none, Affine(np.eye(3), Frame.UM, Frame.HE), 1.0)
    maps, visible, _ = draw_strip(nuclei, np.array([0]), 0, SIDE, 1)
    assert not maps.any()
    assert len(visible.nucleus_id) == 0
