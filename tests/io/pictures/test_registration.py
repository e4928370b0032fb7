"""Pictures of a registration."""

import numpy as np
import pytest
from PIL import Image

from sthelar_build.core.registration import Window
from sthelar_build.io.pictures.registration import (
    WholeSlide,
    Zoom,
    checkerboard,
    coloured_dapi,
    draw_overlay,
    shaded,
)


def test_squares_alternate_between_h_and_e_and_dapi():
    he = np.full((12, 12, 3), 200, np.uint8)
    mixed = checkerboard(he, np.zeros((12, 12), np.float32))
    is_he = (mixed == 200).all(axis=2)
    assert is_he[::2, ::2].tolist() == [[(r + c) % 2 == 0 for c in range(6)] for r in range(6)]


def test_dapi_is_dark_without_nuclei_and_brightens_with_them():
    dapi = np.full((40, 40), 100, np.float32)
    dapi[10:20, 10:20] = np.linspace(200, 900, 100).reshape(10, 10)
    colours = coloured_dapi(dapi).astype(int)
    assert colours[0, 0].max() <= 30
    line = colours[10:20, 10:20].sum(axis=2).ravel()
    assert (np.diff(line) >= 0).all()
    assert line[-1] > 700


def test_where_there_are_no_nuclei_the_h_and_e_stays_as_it_is():
    he = np.full((20, 30, 3), 220, np.uint8)
    shown = shaded(WholeSlide(he, 10.0, np.array([[4.5, 6.5]] * 3 + [[-5, 2]])))
    assert shown[6, 4].tolist() != [220, 220, 220]
    assert (shown[:, 15:] == 220).all()


@pytest.mark.parametrize("outlined", [True, False])
def test_an_overlay_shows_nuclei_whether_many_or_few(tmp_path, outlined):
    he = np.full((200, 300, 3), 230, np.uint8)
    centroids = np.array([[30.0, 40], [150, 100], [5000, 5000]])
    rings = [centroid + np.array([[-3, -3], [3, -3], [3, 3], [-3, -3]]) for centroid in centroids]
    window = Window(0, 0, 1.0, (50, 50))
    zoom = Zoom("worst", np.full((50, 50, 3), 200, np.uint8), window, [rings[0]])
    draw_overlay(
        tmp_path / "overlay.png",
        WholeSlide(he, 2.0, centroids, rings if outlined else None),
        [zoom] * 4,
        np.stack([window.corners_um] * 3 + [window.corners_um + 9000]),
    )
    with Image.open(tmp_path / "overlay.png") as picture:
        assert picture.size[0] > 1.5 * picture.size[1] > 900
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    teal = (pixels[..., 1] - pixels[..., 0] > 40).sum()
    assert teal > 20
    # The H&E fills its half of the picture though a nucleus lies far outside.
    assert (pixels[:, : pixels.shape[1] // 2] == 230).all(axis=2).mean() > 0.4
