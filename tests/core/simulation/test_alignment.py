import numpy as np
import pytest

from sthelar_build.core.simulation.alignment import (
    block_canvas,
    clicked_keypoints,
    he_canvas,
    um_from_morphology,
)
from sthelar_build.core.simulation.recipe import Recipe
from sthelar_build.core.simulation.slide import PIXEL_SIZE_UM


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation", [0.0, 93.0, -12.0, 180.0])
def test_the_canvas_holds_the_region_at_the_scale_asked_for(rotation, mirrored):
    recipe = Recipe(
        width_um=300,
        height_um=200,
        he_rotation_deg=rotation,
        he_mirrored=mirrored,
        he_um_per_px=0.5,
    )
    transform, (height_px, width_px) = he_canvas(recipe)
    assert (np.linalg.det(transform.matrix[:2, :2]) < 0) == mirrored
    assert transform.scale * PIXEL_SIZE_UM == pytest.approx(0.5)
    corners_um = np.array([[0, 0], [300, 0], [300, 200], [0, 200]])
    corners = transform.inverse().apply(corners_um / PIXEL_SIZE_UM)
    assert (corners > 0).all()
    assert (corners < [width_px, height_px]).all()


def test_a_turn_of_90_degrees_sends_he_x_to_morphology_y():
    transform, _ = he_canvas(Recipe(he_rotation_deg=90))
    step = transform.apply([[1, 0]]) - transform.apply([[0, 0]])
    assert step[0] == pytest.approx([0, 0.2738 / PIXEL_SIZE_UM], abs=1e-9)


def test_clicks_are_near_the_truth_but_for_the_outliers():
    recipe = Recipe(keypoint_count=12, keypoint_outliers=2, keypoint_noise_px=1.0)
    transform, _ = he_canvas(recipe)
    landmarks_um = np.random.default_rng(0).uniform(0, 600, (200, 2))
    clicks = clicked_keypoints(recipe, transform, landmarks_um)
    assert list(clicks) == ["fixedX", "fixedY", "alignmentX", "alignmentY"]
    there = transform.then(um_from_morphology()).apply(clicks[["alignmentX", "alignmentY"]])
    away_um = np.hypot(*(there - clicks[["fixedX", "fixedY"]].to_numpy() * PIXEL_SIZE_UM).T)
    assert len(clicks) == 12
    assert away_um[:10].max() < 5 * 0.2738
    assert away_um[10:].min() > 30


def test_a_block_of_a_mosaic_is_scaled_only():
    recipe = Recipe(width_um=27.2, height_um=13.6, he_um_per_px=0.2125 * 4 / 3)
    transform, shape_px = block_canvas(recipe)
    assert shape_px == (48, 96)
    assert transform.matrix.ravel() == pytest.approx([4 / 3, 0, 0, 0, 4 / 3, 0, 0, 0, 1])
