"""How the H&E lies on the morphology image: the true affine, and landmarks as a person clicks them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.simulation.fields import stream
from sthelar_build.core.simulation.recipe import Recipe
from sthelar_build.core.simulation.slide import PIXEL_SIZE_UM
from sthelar_build.core.simulation.structures import Points
from sthelar_build.schema.frames import Affine, Frame

_OUTLIER_UM = 40.0


def he_canvas(recipe: Recipe) -> tuple[Affine, tuple[int, int]]:
    """Return the true map he -> morphology and the (height, width) of the H&E in pixels.

    The map mirrors y if asked, turns by ``he_rotation_deg`` (clockwise on the screen, since y runs
    down), and scales. The canvas is the region's bounding box in the H&E frame and a margin; the region
    lies off its middle by up to a quarter of the margin.
    """
    angle = np.deg2rad(recipe.he_rotation_deg)
    cos, sin = np.cos(angle), np.sin(angle)
    flip = np.diag([1.0, -1.0 if recipe.he_mirrored else 1.0])
    um_from_he = recipe.he_um_per_px * np.array([[cos, -sin], [sin, cos]]) @ flip
    size_um = np.array([recipe.width_um, recipe.height_um])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * size_um / 2
    reach = np.abs(corners @ np.linalg.inv(um_from_he).T).max(axis=0)
    margin_px = recipe.he_margin_um / recipe.he_um_per_px
    width_px, height_px = np.ceil(2 * (reach + margin_px)).astype(int)
    shift = stream(recipe.seed, "canvas").uniform(-0.25, 0.25, 2) * recipe.he_margin_um
    matrix = np.eye(3)
    matrix[:2, :2] = um_from_he / PIXEL_SIZE_UM
    centre_he = np.array([width_px, height_px]) / 2
    matrix[:2, 2] = (size_um / 2 + shift) / PIXEL_SIZE_UM - matrix[:2, :2] @ centre_he
    return Affine(matrix, Frame.HE, Frame.MORPHOLOGY), (int(height_px), int(width_px))


def block_canvas(recipe: Recipe) -> tuple[Affine, tuple[int, int]]:
    """Return the map he -> morphology of a mosaic, which only scales, and the (height, width) of a block in H&E pixels."""
    width_px, height_px = (
        round(length_um / recipe.he_um_per_px) for length_um in (recipe.width_um, recipe.height_um)
    )
    factor = recipe.he_um_per_px / PIXEL_SIZE_UM
    return Affine.scaling(factor, Frame.HE, Frame.MORPHOLOGY), (height_px, width_px)


def um_from_morphology() -> Affine:
    """Return the map morphology px -> um of every slide."""
    return Affine.scaling(PIXEL_SIZE_UM, Frame.MORPHOLOGY, Frame.UM)


def clicked_keypoints(
    recipe: Recipe, morphology_from_he: Affine, landmarks_um: Points
) -> pd.DataFrame:
    """Return landmarks as a person marks them in both images.

    Parameters
    ----------
    landmarks_um
        (n, 2) centres of nuclei; the keypoints are ``keypoint_count`` of them, far from each other.

    Returns
    -------
    Columns ``fixedX``, ``fixedY`` (morphology px), ``alignmentX``, ``alignmentY`` (he px). The H&E side
    carries Gaussian noise of ``keypoint_noise_px``; the last ``keypoint_outliers`` rows are clicked on
    something else, about 40 um away.
    """
    rng = stream(recipe.seed, "keypoints")
    chosen = landmarks_um[_spread(rng, landmarks_um, recipe.keypoint_count)]
    fixed = chosen / PIXEL_SIZE_UM
    clicked = morphology_from_he.inverse().apply(fixed)
    clicked += rng.normal(0, recipe.keypoint_noise_px, clicked.shape)
    direction = rng.uniform(0, 2 * np.pi, len(clicked))
    away = np.stack([np.cos(direction), np.sin(direction)], axis=1)
    wrong = np.arange(len(clicked)) >= len(clicked) - recipe.keypoint_outliers
    clicked[wrong] += away[wrong] * _OUTLIER_UM / recipe.he_um_per_px
    return pd.DataFrame(
        np.hstack([fixed, clicked]), columns=["fixedX", "fixedY", "alignmentX", "alignmentY"]
    )


def _spread(rng: np.random.Generator, points: Points, count: int) -> NDArray[np.int64]:
    if len(points) <= count:
        return np.arange(len(points))
    chosen = [int(rng.integers(len(points)))]
    distance = np.full(len(points), np.inf)
    while len(chosen) < count:
        distance = np.minimum(distance, np.hypot(*(points - points[chosen[-1]]).T))
        chosen.append(int(np.argmax(distance)))
    return rng.permutation(np.array(chosen))
