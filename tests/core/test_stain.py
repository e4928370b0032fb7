"""Haematoxylin and tissue from colours."""

import numpy as np

from sthelar_build.core.stain import haematoxylin, tissue_mask


def stained(haematoxylin_density, eosin_density):
    """The colour of a spot by the law of Beer and Lambert."""
    h = np.array([0.650, 0.704, 0.286]) / np.linalg.norm([0.650, 0.704, 0.286])
    e = np.array([0.072, 0.990, 0.105]) / np.linalg.norm([0.072, 0.990, 0.105])
    density = haematoxylin_density * h + eosin_density * e
    return np.rint(255 * 10**-density).astype(np.uint8)


def test_white_holds_no_haematoxylin():
    assert haematoxylin(np.full((1, 1, 3), 255, np.uint8)).tolist() == [[0]]


def test_the_amount_mixed_in_is_found_again_whatever_the_eosin():
    image = np.array([[stained(0.5, 0), stained(0.5, 0.4), stained(0.2, 0.6)]])
    np.testing.assert_allclose(haematoxylin(image), [[0.5, 0.5, 0.2]], atol=0.01)


def test_eosin_alone_is_no_haematoxylin():
    assert haematoxylin(stained(0, 0.8)[None, None]) < 0.01


def test_black_is_finite():
    assert np.isfinite(haematoxylin(np.zeros((1, 1, 3), np.uint8))).all()


def test_tissue_is_what_is_coloured():
    glass, eosin, nuclei, dust = (240, 238, 242), (230, 190, 210), (120, 80, 160), (150, 148, 151)
    image = np.array([[glass] * 20 + [eosin, nuclei, dust]], dtype=np.uint8)
    assert tissue_mask(image, 0.05)[0, -4:].tolist() == [False, True, True, False]


def test_an_image_full_of_tissue_is_all_tissue():
    image = np.full((4, 4, 3), (200, 120, 170), dtype=np.uint8)
    assert tissue_mask(image, 0.05).all()


def test_no_pixels_are_no_tissue():
    assert tissue_mask(np.empty((0, 3, 3), np.uint8), 0.05).shape == (0, 3)
