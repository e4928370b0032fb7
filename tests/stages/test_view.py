"""Tiles of the H&E, and of the DAPI image under it."""

import json

import numpy as np
import pytest
from PIL import Image

from slides.turned_slide import make_turned_slide, turned_matrix
from sthelar_build.errors import InputError
from sthelar_build.io.images.he import open_he
from sthelar_build.io.provenance import provenance
from sthelar_build.io.transform import Transform, write_transform
from sthelar_build.settings.view import ViewSettings
from sthelar_build.stages.view import run


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    return make_turned_slide(tmp_path_factory.mktemp("view") / "slide", turned_matrix(200))


@pytest.fixture(scope="module")
def transform(slide):
    with open_he(slide.he) as image:
        size = image.width_px, image.height_px
    path = slide.folder / "transform.json"
    write_transform(
        path, Transform(slide.he_to_morphology, "matrix", *size, 0.2125), provenance("test")
    )
    return path


def view(slide, transform, images, threads=1, **settings):
    run(
        he=slide.he,
        xenium=slide.xenium,
        bundle=slide.folder / "bundle.json",
        transform=transform,
        images=images,
        settings=ViewSettings(**{"tile_px": 256, "quality": 95, **settings}),
        threads=threads,
    )
    return json.loads((images / "manifest.json").read_text())


def mosaic(images, kind, facts, level=0):
    """Return a level as one picture, grey."""
    found, side = facts["levels"][level], facts["tile_px"]
    whole = np.zeros((found["height_px"], found["width_px"]))
    for row in range(found["rows"]):
        for column in range(found["columns"]):
            with Image.open(images / kind / f"{level}_{column}_{row}.jpg") as tile:
                pixels = np.asarray(tile.convert("L"))
            top, left = row * side, column * side
            whole[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return whole


@pytest.fixture(scope="module")
def made(slide, transform, tmp_path_factory):
    images = tmp_path_factory.mktemp("made") / "viewer_images"
    return images, view(slide, transform, images)


def test_the_finest_level_is_the_h_and_e_itself(slide, made):
    images, facts = made
    assert facts["downsample"] == 1
    assert facts["he_um_per_px"] == pytest.approx(0.35)
    with open_he(slide.he) as image:
        pixels = image.read(0, 0, image.width_px, image.height_px)
        assert (facts["width_he_px"], facts["height_he_px"]) == (image.width_px, image.height_px)
    luma = pixels @ [0.299, 0.587, 0.114]
    assert np.abs(mosaic(images, "he", facts) - luma).mean() < 3


def test_nuclei_are_bright_in_dapi_where_they_are_dark_in_the_h_and_e(made):
    images, facts = made
    for level in (0, 1):
        he, dapi = mosaic(images, "he", facts, level), mosaic(images, "dapi", facts, level)
        assert he.shape == dapi.shape
        assert dapi[he < 100].mean() > 150
        assert dapi[he > 150].mean() < 40


def test_larger_pixels_are_asked_for_by_a_power_of_two(slide, transform, made, tmp_path):
    images, facts = made
    coarse = view(slide, transform, tmp_path / "coarse", um_per_px=1.5)
    assert coarse["downsample"] == 4
    assert coarse["levels"] == facts["levels"][2:]
    same = mosaic(tmp_path / "coarse", "he", coarse) - mosaic(images, "he", facts, 2)
    assert np.abs(same).mean() < 2


def test_threads_change_nothing(slide, transform, made, tmp_path):
    images, _ = made
    view(slide, transform, tmp_path / "again", threads=2)
    for path in images.rglob("*.jpg"):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(images)).read_bytes()


def test_another_image_than_the_registered_one_is_refused_and_nothing_is_left(
    slide, transform, tmp_path
):
    record = json.loads(transform.read_text()) | {"he_width_px": 7}
    other = tmp_path / "transform.json"
    other.write_text(json.dumps(record))
    with pytest.raises(InputError, match="expected an image of 7 x"):
        view(slide, other, tmp_path / "viewer_images")
    assert not (tmp_path / "viewer_images").exists()
