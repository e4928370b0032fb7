"""Pictures inside a page: what they show, how large they are, and what they are called."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from sthelar_build.errors import InputError
from sthelar_build.io.pictures.embedded import captioned_pictures, picture_file, picture_of


def _decoded(picture):
    head, text = picture.uri.split(",")
    assert head == "data:image/webp;base64"
    return Image.open(io.BytesIO(base64.b64decode(text)))


def test_a_picture_travels_inside_the_page():
    picture = picture_of(np.full((20, 30, 3), 200, dtype=np.uint8))
    assert (picture.width_px, picture.height_px) == (30, 20)
    pixels = np.asarray(_decoded(picture).convert("RGB")).astype(int)
    assert abs(pixels - 200).max() < 4


def test_large_pictures_are_reduced_and_small_ones_left(tmp_path):
    Image.new("RGB", (400, 200)).save(tmp_path / "a.png")
    assert picture_file(tmp_path / "a.png", 100).width_px == 100
    assert picture_file(tmp_path / "a.png", 1000).width_px == 400


def test_what_is_transparent_becomes_white(tmp_path):
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "a.png")
    pixels = np.asarray(_decoded(picture_file(tmp_path / "a.png", 100)).convert("RGB"))
    assert pixels.min() > 250


def test_a_file_that_is_no_picture_is_named(tmp_path):
    (tmp_path / "a.png").write_text("no")
    with pytest.raises(InputError, match=r"a\.png: expected a picture"):
        picture_file(tmp_path / "a.png", 100)


def test_pictures_of_a_folder_come_in_the_order_of_the_captions_then_by_name(tmp_path):
    for name in ("a_new_one", "drift", "overlay"):
        Image.new("RGB", (4, 4)).save(tmp_path / f"{name}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    captions = [caption for caption, _ in captioned_pictures(tmp_path, 100)]
    assert captions == ["Nuclei on the H&E", "Measured shift, tile by tile", "a new one"]
