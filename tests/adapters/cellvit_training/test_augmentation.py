import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sthelar_build.adapters.cellvit_training.augmentation import (
    Augmentation,
    augmented,
    recoloured,
    reduced,
    reduced_labels,
    turned,
    view_side_px,
)
from sthelar_build.core.hv_targets import hv_targets
from sthelar_build.io.cellvit_export import LabelledPatch

STILL = Augmentation(turn=False, stain_jitter=0, colour_jitter=0, blur_px=0)


def a_patch(side_px=32):
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (side_px, side_px, 3), dtype=np.uint8)
    instances = np.zeros((side_px, side_px), dtype=np.int32)
    instances[2:9, 3:8], instances[20:25, 11:24] = 1, 2
    return LabelledPatch(image, instances, (instances * 3).astype(np.uint8), 1)


def test_a_quarter_turn_takes_the_right_edge_to_the_top():
    assert turned(np.array([[1, 2], [3, 4]]), 1, mirrored=False).tolist() == [[2, 4], [1, 3]]
    assert turned(np.array([[1, 2], [3, 4]]), 0, mirrored=True).tolist() == [[2, 1], [4, 3]]


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_distances_made_after_a_turn_are_the_turned_distances(turns, mirrored):
    # Nuclei of odd sides: their centre is a pixel, whichever way it would be rounded.
    instances = a_patch().instances
    along, across = hv_targets(instances)
    for _ in range(turns):
        # What pointed right points up, where y is less; what pointed down points right.
        along, across = np.rot90(across), -np.rot90(along)
    if mirrored:
        along, across = -along[:, ::-1], across[:, ::-1]
    assert_allclose(hv_targets(turned(instances, turns, mirrored)), [along, across], atol=1e-6)


def test_image_and_labels_turn_together():
    patch = a_patch()
    # Colour the image by its instances: whatever the view, colour and label must agree.
    colours = np.array([[250, 250, 250], [90, 10, 10], [10, 90, 10]], dtype=np.uint8)
    patch = patch._replace(image=colours[patch.instances])
    seen = set()
    for seed in range(30):
        how = Augmentation(stain_jitter=0, colour_jitter=0, blur_px=0)
        view = augmented(patch, how, 32, np.random.default_rng(seed))
        assert_array_equal(view.image, colours[view.instances])
        assert_array_equal(view.types, view.instances * 3)
        seen.add(view.instances.tobytes())
    assert len(seen) == 8


def test_equal_seeds_give_equal_views_and_others_do_not():
    views = [augmented(a_patch(), Augmentation(), 32, np.random.default_rng(s)) for s in (5, 5, 6)]
    assert_array_equal(views[0].image, views[1].image)
    assert (views[0].image != views[2].image).any()


def test_with_everything_off_a_view_is_the_patch():
    patch = a_patch()
    view = augmented(patch, STILL, 32, np.random.default_rng(0))
    assert_array_equal(view.image, patch.image)
    assert_array_equal(view.instances, patch.instances)
    assert view.tissue == 1


def test_half_size_takes_the_mean_colour_and_the_label_beneath_the_centre():
    image = np.array([[[0] * 3, [10] * 3], [[20] * 3, [30] * 3]], dtype=np.uint8)
    assert reduced(image, 1).tolist() == [[[15, 15, 15]]]
    assert reduced_labels(np.arange(16).reshape(4, 4), 2).tolist() == [[5, 7], [13, 15]]


def test_views_are_whole_tokens_between_the_smallest_and_the_patch():
    rng = np.random.default_rng(1)
    sides = {view_side_px(256, 0.5, rng) for _ in range(300)}
    assert sides == set(range(128, 257, 16))
    assert view_side_px(64, 1.0, rng) == 64


def test_a_zoomed_view_is_smaller_in_all_its_maps():
    view = augmented(a_patch(), Augmentation(), 16, np.random.default_rng(1))
    assert view.image.shape == (16, 16, 3)
    assert view.instances.shape == view.types.shape == (16, 16)


def test_stain_that_is_not_changed_leaves_the_colours():
    image = a_patch().image
    how = Augmentation(stain_jitter=1e-9, colour_jitter=0, blur_px=0)
    assert np.abs(recoloured(image, how, np.random.default_rng(0)).astype(int) - image).max() <= 1


def test_white_stays_white_whatever_the_stain():
    white = np.full((4, 4, 3), 255, dtype=np.uint8)
    how = Augmentation(stain_jitter=0.5, colour_jitter=0, blur_px=0)
    assert (recoloured(white, how, np.random.default_rng(2)) == 255).all()


def test_a_blurred_view_has_weaker_edges():
    how = Augmentation(stain_jitter=0, colour_jitter=0, blur_px=3)
    image = a_patch().image
    rngs = [np.random.default_rng(seed) for seed in range(40)]
    spread = [np.diff(recoloured(image, how, rng).astype(float), axis=0).std() for rng in rngs]
    untouched = np.diff(image.astype(float), axis=0).std()
    assert 0 < sum(one < 0.9 * untouched for one in spread) < 20
    assert max(spread) == pytest.approx(untouched)
