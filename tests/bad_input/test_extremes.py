"""H&E without tissue, or of a pixel: refused where nothing could come of them, else a slide without nuclei on tissue."""

import json

import numpy as np
import pytest

from bad_input.refusals import HE, MATRIX, words
from sthelar_build.io.images.he import open_he
from sthelar_build.io.ome_tiff import write_ome_tiff
from sthelar_build.io.predictions import open_predictions


def replaced(path, shape, value):
    path.unlink(missing_ok=True)
    pixels = np.full((*shape, 3), value, dtype=np.uint8)
    write_ome_tiff(path, pixels, 0.2738, channel_names=["rgb"], compression="jpeg", tile_px=256)


def test_an_he_of_one_pixel_is_refused_before_any_work(slide):
    replaced(slide.raw / HE, (1, 1), 128)
    slide.is_refused(slide.preflight(), HE, "1 x 1 px")


def test_an_he_of_one_pixel_is_not_searched_for_a_place(slide, counted_toy):
    replaced(slide.raw / HE, (1, 1), 128)
    r, made = counted_toy.results, slide.out
    options = {
        "he": slide.raw / HE, "xenium": slide.bundle, "alignment": slide.raw / MATRIX, "settings": "{}",
        "bundle": r / "bundle.json", "nuclei": r / "nuclei.parquet", "pictures": made / "pictures",
        "transform": made / "transform.json", "registration": made / "registration.parquet",
    }  # fmt: skip
    slide.is_refused(words("register", options), HE, "1 x 1 px")


@pytest.mark.parametrize("value", [255, 0])
def test_an_he_without_tissue_has_patches_and_no_nuclei(slide, registered_toy, value):
    he, out = slide.raw / HE, slide.out
    with open_he(he) as image:
        shape = (image.height_px, image.width_px)
    replaced(he, shape, value)
    patches, found = out / "patches_40x.parquet", out / "predictions_40x"
    made = registered_toy.results
    tile = {
        "he": he, "transform": made / "transform.json", "transcripts": made / "transcripts.parquet",
        "scale": "native", "patches": patches,
    }  # fmt: skip
    segment = {"he": he, "patches": patches, "predictions": found}
    for stage, options in (("tile", tile), ("segment", segment)):
        status, said = slide.run(*words(stage, options | {"settings": json.dumps({})}))
        assert status == 0, said
    assert open_predictions(found).manifest["n_nuclei"] == 0
