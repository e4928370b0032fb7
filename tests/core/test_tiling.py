"""The grid of patches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sthelar_build.core.tiling import box_shares, patch_grid, patch_table


def test_the_published_heart_slide_has_7168_patches():
    grid = patch_grid(24544, 10645, downsample=1, side_px=256, overlap_px=64)
    assert (grid.columns, grid.rows) == (128, 56)
    table = patch_table(grid)
    assert len(table) == 7168
    assert table.patch_id.tolist() == list(range(7168))


def test_patches_are_numbered_row_by_row():
    table = patch_table(patch_grid(600, 600, 1, 256, 64))
    second_row = table[table.patch_id == 4].iloc[0]
    assert (second_row.grid_row, second_row.grid_column) == (1, 1)
    assert (second_row.x_px, second_row.y_px) == (192, 192)


def test_positions_on_level_0_are_those_of_the_scale_times_the_downsample():
    row = patch_table(patch_grid(1200, 1200, 2, 256, 64)).iloc[1]
    assert (row.x_px, row.x_he_px, row.side_he_px) == (192, 384, 512)


def test_half_a_pixel_at_the_border_does_not_count():
    assert patch_grid(513, 512, 2, 256, 0).width_px == 256
    assert patch_table(patch_grid(513, 512, 2, 256, 0)).complete.tolist() == [True]


def test_patches_that_overrun_the_image_are_not_complete():
    assert patch_table(patch_grid(448, 256, 1, 256, 64)).complete.tolist() == [True, True]
    assert patch_table(patch_grid(449, 256, 1, 256, 64)).complete.tolist() == [True, True, False]


def test_an_image_smaller_than_a_patch_has_one_incomplete_patch():
    assert patch_table(patch_grid(50, 40, 1, 256, 64)).complete.tolist() == [False]


def test_an_overlap_as_large_as_the_side_is_refused():
    with pytest.raises(ValueError, match="overlap"):
        patch_grid(500, 500, 1, 64, 64)


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(32, 300), st.data())
def test_every_pixel_of_the_image_lies_in_a_patch(width, height, side, data):
    overlap = data.draw(st.integers(0, side - 1))
    grid = patch_grid(width, height, 1, side, overlap)
    table = patch_table(grid)
    assert table.x_px.max() + side >= width
    assert table.y_px.max() + side >= height
    assert grid.stride_px <= side


MASK = np.array([[1, 0], [1, 1]], dtype=bool)


@pytest.mark.parametrize(
    ("box", "share"),
    [
        ((0, 0, 2, 2), 0.75),
        ((0, 0, 1, 2), 1),
        ((1, 0, 2, 1), 0),
        ((0.5, 0, 1.5, 1), 0.5),
        ((0.5, 0.5, 1.5, 1.5), 0.75),
        ((1, 1, 3, 3), 0.25),
        ((5, 5, 6, 6), 0),
    ],
)
def test_the_share_of_a_box_is_that_of_its_area(box, share):
    assert box_shares(MASK, np.array([box], dtype=float)).tolist() == pytest.approx([share])
