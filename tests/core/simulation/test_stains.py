import numpy as np

from sthelar_build.core.simulation.stains import Concentrations, photograph, slide_stains


def flat(haematoxylin, eosin):
    shape = (20, 20)
    zero = np.zeros(shape, dtype=np.float32)
    return Concentrations(zero + np.float32(haematoxylin), zero + np.float32(eosin), zero, zero)


def colour(haematoxylin, eosin, variation=0.0):
    stains = slide_stains(np.random.default_rng(0), variation)
    image = photograph(np.random.default_rng(1), flat(haematoxylin, eosin), stains)
    return image.reshape(-1, 3).mean(axis=0)


def test_nothing_stained_is_white_glass():
    assert (colour(0, 0) > 235).all()


def test_haematoxylin_is_blue_and_eosin_is_pink():
    red, green, blue = colour(1.2, 0)
    assert blue > red > green
    red, green, blue = colour(0, 0.6)
    assert red > blue > green


def test_without_variation_every_slide_has_the_same_stain():
    first, second = (slide_stains(np.random.default_rng(seed), 0.0) for seed in (1, 2))
    assert np.array_equal(first.eosin, second.eosin)
    assert not np.array_equal(first.eosin, slide_stains(np.random.default_rng(1), 1.0).eosin)
