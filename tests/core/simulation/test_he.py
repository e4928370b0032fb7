import numpy as np
import pytest
from scipy import ndimage
from skimage.color import rgb2hed
from skimage.filters import threshold_otsu

from sthelar_build.core.simulation.alignment import he_canvas, um_from_morphology
from sthelar_build.core.simulation.dapi import labels_on_grid
from sthelar_build.core.simulation.he import render_he
from sthelar_build.core.simulation.recipe import Recipe
from sthelar_build.core.simulation.simulate import simulate_scene


@pytest.fixture(scope="module", params=[("breast_cancer", 93.0, False), ("skin", -12.0, True)])
def rendered(request):
    tissue, rotation, mirrored = request.param
    recipe = Recipe(
        tissue=tissue,
        width_um=170,
        height_um=170,
        transcripts_per_cell=1,
        he_rotation_deg=rotation,
        he_mirrored=mirrored,
        seed=3,
    )
    scene = simulate_scene(recipe)
    transform, shape_px = he_canvas(recipe)
    um_from_he = transform.then(um_from_morphology())
    image = render_he(3, scene.tissue, scene.population, um_from_he, shape_px, 0.5)
    nuclei = um_from_he.inverse().apply_to_geometries(scene.population.nuclei)
    return image, labels_on_grid(nuclei, 1.0, shape_px) > 0


def haematoxylin(image):
    return ndimage.gaussian_filter(rgb2hed(image)[..., 0], 2)


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def test_the_image_is_rgb_with_glass_and_tissue(rendered):
    image, nuclei = rendered
    assert image.dtype == np.uint8
    assert image.shape == (*nuclei.shape, 3)
    assert np.quantile(image.min(axis=2), 0.99) > 225
    assert nuclei.mean() > 0.05


def test_a_plain_threshold_on_haematoxylin_finds_the_nuclei(rendered):
    image, nuclei = rendered
    stain = haematoxylin(image)
    assert dice(stain > threshold_otsu(stain), nuclei) > 0.7


def test_nuclei_lie_where_the_affine_says_to_a_pixel(rendered):
    image, nuclei = rendered
    stain = haematoxylin(image)
    found = stain > threshold_otsu(stain)
    scores = {
        (dy, dx): dice(np.roll(found, (dy, dx), axis=(0, 1)), nuclei)
        for dy in (-2, -1, 0, 1, 2)
        for dx in (-2, -1, 0, 1, 2)
    }
    assert max(scores, key=scores.__getitem__) == (0, 0)
