import numpy as np
import pytest

from sthelar_build.core.token_features import NucleusSums, merged, patch_sums, touched_blocks

# Blocks of 2 x 2 px: nucleus 7 has three pixels in the first and one in the second, nucleus 300 fills the last.
INSTANCES = np.array(
    [
        [7, 7, 7, 0],
        [0, 7, 0, 0],
        [0, 0, 300, 300],
        [0, 0, 300, 300],
    ],
    dtype=np.uint32,
)
TOKENS = np.array([[[1, 5], [9, 20]], [[0, 2], [0, 4]]], dtype=np.float32)


def test_the_mean_weighs_a_token_by_the_pixels_of_the_nucleus_in_its_block():
    found = patch_sums(INSTANCES, TOKENS)
    assert found.nucleus_ids.tolist() == [7, 300]
    np.testing.assert_allclose(found.features, [[(3 * 1 + 5) / 4, 2 / 4], [20, 4]])


def test_the_published_rule_adds_up_every_block_that_one_pixel_touches():
    found = patch_sums(INSTANCES, TOKENS, "published")
    np.testing.assert_array_equal(found.features, [[6, 2], [20, 4]])


def test_published_sums_are_averaged_over_patches_and_means_over_pixels():
    cut = np.where(INSTANCES == 7, INSTANCES, 0)
    cut[1] = cut[0, 2] = 0
    # The second patch shows two pixels of nucleus 7, in the first block.
    other = patch_sums(cut, TOKENS * 10)
    published = patch_sums(cut, TOKENS * 10, "published")
    np.testing.assert_allclose(
        merged([patch_sums(INSTANCES, TOKENS), other]).features[0], [(8 + 20) / 6, 2 / 6]
    )
    both = merged([patch_sums(INSTANCES, TOKENS, "published"), published])
    np.testing.assert_array_equal(both.features, [[(6 + 10) / 2, 1], [20, 4]])


def test_it_counts_the_pixels_of_every_type():
    types = np.array([[1, 1, 0, 0], [0, 2, 0, 0], [2, 2, 2, 2], [2, 2, 2, 2]], dtype=np.uint8)
    found = patch_sums(INSTANCES, TOKENS, types=types, n_types=3)
    assert found.type_px.tolist() == [[1, 2, 1], [0, 0, 4]]


def test_a_patch_without_nuclei_says_nothing():
    found = patch_sums(np.zeros((4, 4), np.uint32), TOKENS)
    assert found.sums.shape == (0, 2)
    assert not len(merged([found, found]).nucleus_ids)


def test_pixels_on_the_line_between_two_blocks_belong_to_both_in_part():
    # Two blocks on three pixels: the middle one is half in each.
    areas = touched_blocks(np.array([[1, 1, 0], [0, 0, 0], [0, 0, 2]], np.int32), 2, (2, 2))
    np.testing.assert_array_equal(areas.toarray(), [[1.5, 0.5, 0, 0], [0, 0, 0, 1]])


def test_more_blocks_than_pixels_are_refused():
    with pytest.raises(ValueError, match="at most one block a pixel"):
        touched_blocks(np.zeros((2, 2), np.int32), 0, (3, 2))


@pytest.mark.parametrize("rule", ["mean", "published"])
@pytest.mark.parametrize(("side_px", "blocks"), [(64, 4), (60, 4), (50, 14)])
def test_it_equals_a_plain_loop(rule, side_px, blocks):
    rng = np.random.default_rng(side_px)
    instances = rng.integers(0, 6, (side_px // 5, side_px // 5)).repeat(5, 0).repeat(5, 1)
    instances = instances * 1000
    tokens = rng.normal(size=(3, blocks, blocks)).astype(np.float32)
    found = patch_sums(instances, tokens, rule)
    expected = [loop(instances == i, tokens, rule) for i in found.nucleus_ids]
    assert found.nucleus_ids.tolist() == [1000, 2000, 3000, 4000, 5000]
    np.testing.assert_allclose(found.features, expected, rtol=1e-4, atol=1e-5)


def loop(inside, tokens, rule):
    """Return the features of one nucleus, block by block: with adaptive pooling's bins, or by area."""
    side, blocks = len(inside), tokens.shape[1]
    total, weight = np.zeros(len(tokens)), 0.0
    for row in range(blocks):
        for column in range(blocks):
            area = inside * np.outer(*(share(side, blocks, k) for k in (row, column)))
            if rule == "published":
                first = [k * side // blocks for k in (row, column)]
                stop = [-(-(k + 1) * side // blocks) for k in (row, column)]
                touched = inside[first[0] : stop[0], first[1] : stop[1]].any()
                total += touched * tokens[:, row, column]
            total += (rule == "mean") * area.sum() * tokens[:, row, column]
            weight += area.sum()
    return total / (weight if rule == "mean" else 1)


def share(side, blocks, number):
    pixel, step = np.arange(side), side / blocks
    return np.clip(np.minimum(pixel + 1, (number + 1) * step) - np.maximum(pixel, number * step), 0, 1)  # fmt: skip


def test_rows_can_be_picked():
    picked = patch_sums(INSTANCES, TOKENS).where(np.array([False, True]))
    assert isinstance(picked, NucleusSums)
    assert picked.nucleus_ids.tolist() == [300]
    np.testing.assert_array_equal(picked.features, [[20, 4]])
