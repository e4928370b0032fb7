"""Where pixels lie in the raster."""

from dataclasses import replace

import numpy as np
import pytest

from sthelar_build.core.correction import Correction
from sthelar_build.core.raster_places import ToRaster
from sthelar_build.schema.frames import Affine, Frame

PIXEL_UM = 0.25


def he_to_morphology(*rows):
    return Affine(np.array([*rows, [0, 0, 1]], dtype=float), Frame.HE, Frame.MORPHOLOGY)


DOUBLED = ToRaster(he_to_morphology([2, 0, 0], [0, 2, 0]), 1.0, PIXEL_UM)


def test_a_centre_on_the_edge_of_raster_pixels_belongs_to_the_one_right_and_below():
    rows, columns = DOUBLED.pixels(3, 10, (2, 3))  # the first centre lies at (7, 21)
    assert rows.tolist() == [[21, 21, 21], [23, 23, 23]]
    assert columns.tolist() == [[7, 9, 11], [7, 9, 11]]


def test_rounding_does_not_move_a_centre_off_its_edge():
    third = ToRaster(he_to_morphology([1 / 3, 0, 0], [0, 1 / 3, 0]), 6.0, PIXEL_UM)
    rows, columns = third.pixels(0, 0, (500, 500))
    assert rows[:, 0].tolist() == columns[0].tolist() == list(range(1, 1000, 2))


def test_a_quarter_turn_makes_columns_of_rows():
    turned = ToRaster(he_to_morphology([0, -1, 8], [1, 0, 0]), 1.0, PIXEL_UM)
    rows, columns = turned.pixels(0, 0, (2, 3))
    assert rows.tolist() == [[0, 1, 2], [0, 1, 2]]
    assert columns.tolist() == [[7, 7, 7], [6, 6, 6]]


def test_pixels_of_a_coarser_scale_lie_farther_apart():
    _, columns = replace(DOUBLED, downsample=2.0).pixels(-1, 0, (1, 3))
    assert columns.tolist() == [[-2, 2, 6]]


@pytest.mark.parametrize("shape", [(33, 70), (256, 256)])
def test_a_correction_is_undone(shape):
    nodes_um = np.indices((10, 10)) * 200.0
    waves = 10 * np.sin(nodes_um * 2 * np.pi / 1500)
    correction = Correction(-500, -500, 200, np.stack(waves, axis=2))
    rows, columns = replace(DOUBLED, correction=correction).pixels(20, 30, shape)
    y, x = np.indices(shape)
    asked_um = np.stack([x.ravel() + 20.5, y.ravel() + 30.5], axis=1) * 2 * PIXEL_UM
    exact = correction.undo(asked_um) / PIXEL_UM
    found = np.stack([columns.ravel(), rows.ravel()], axis=1)
    np.testing.assert_allclose(found + 0.5, exact, atol=0.5 + 0.01)
    assert (np.floor(exact) != found).mean() < 0.005
    assert (rows != DOUBLED.pixels(20, 30, shape)[0]).all()  # it moves by several pixels


def test_without_shifts_a_correction_changes_nothing():
    still = replace(DOUBLED, correction=Correction(0, 0, 50, np.zeros((3, 3, 2))))
    for mine, plain in zip(
        still.pixels(1, 2, (40, 50)), DOUBLED.pixels(1, 2, (40, 50)), strict=True
    ):
        np.testing.assert_array_equal(mine, plain)


def test_blocks_cover_a_strip_once_and_reach_about_as_far_at_every_scale():
    for downsample in (1.0, 2.0, 7.3):
        seen = np.zeros((256, 3000), dtype=int)
        placed = replace(DOUBLED, downsample=downsample)
        for block in placed.blocks(seen.shape):
            seen[block.top : block.top + block.height, block.left : block.left + block.width] += 1
            assert max(block.height, block.width) * 2 * downsample <= 1024
        assert (seen == 1).all()


def test_a_transform_between_other_frames_is_refused():
    with pytest.raises(ValueError, match="he -> morphology, got morphology -> he"):
        ToRaster(DOUBLED.he_to_morphology.inverse(), 1.0, PIXEL_UM)
