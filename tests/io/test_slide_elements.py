"""Elements carry what the artefacts say, and nothing that the bundle does not show."""

import logging

import dask.array as da
import numpy as np
import pytest

from slides import three_cells
from sthelar_build.core.correction import Correction
from sthelar_build.errors import InputError
from sthelar_build.io.slide_elements import (
    correction_elements,
    image_elements,
    outline_elements,
    patch_elements,
)
from sthelar_build.io.spatial import SlideFrames
from sthelar_build.schema.frames import Affine, Frame

FRAMES = SlideFrames(
    Affine(three_cells.MATRIX, Frame.HE, Frame.MORPHOLOGY), three_cells.PIXEL_SIZE_UM
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return three_cells.build(tmp_path_factory.mktemp("elements"))


def test_cells_without_an_outline_are_left_out_and_counted(files, caplog):
    with caplog.at_level(logging.INFO):
        shapes = outline_elements(files["nuclei"], files["cells"], FRAMES)
    assert list(shapes) == ["nucleus_boundaries", "cell_boundaries"]
    assert [len(make()) for make in shapes.values()] == [3, 2]
    assert "kept 2 of 3" in caplog.text


def test_patches_are_named_after_their_scale_but_for_the_first(files):
    grids = [
        (scale, files[f"patches_{scale}"], files[f"metrics_{scale}"])
        for scale in three_cells.SCALES
    ]
    assert list(patch_elements(grids, FRAMES)) == ["he_patches", "he_patches_20x"]


def test_channels_must_be_those_of_the_bundle():
    he, morphology = (da.zeros((c, 8, 8), dtype=np.uint8) for c in (3, 2))
    images = image_elements([he], [morphology], ["DAPI", "18S"], FRAMES)
    assert images["morpho"]()["scale0"]["image"].coords["c"].values.tolist() == ["DAPI", "18S"]
    with pytest.raises(InputError, match=r"expected the channels DAPI of bundle\.json, found 2"):
        image_elements([he], [morphology], ["DAPI"], FRAMES)


def test_a_correction_is_an_image_with_a_pixel_per_node():
    shift_um = np.random.default_rng(0).normal(0, 3, (4, 6, 2))
    (name, make), *others = correction_elements(Correction(0, 0, 50, shift_um), FRAMES).items()
    assert (name, others) == ("registration_correction", [])
    image = make()
    assert image.coords["c"].values.tolist() == ["dx_um", "dy_um"]
    assert image.dtype == np.float32
    np.testing.assert_allclose(image.values[1], shift_um[..., 1], atol=1e-4)
    assert correction_elements(None, FRAMES) == {}
