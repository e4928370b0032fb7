import numpy as np

from sthelar_build.core.simulation.fields import fibres, fine_texture, smooth_noise, stream


def test_a_stream_is_the_same_for_one_name_and_another_for_another():
    assert stream(3, "a").integers(1 << 30) == stream(3, "a").integers(1 << 30)
    assert stream(3, "a").integers(1 << 30) != stream(3, "b").integers(1 << 30)
    assert stream(3, "a").integers(1 << 30) != stream(4, "a").integers(1 << 30)


def test_noise_of_any_scale_fills_its_shape_with_deviation_one():
    for scale in (1.0, 3.0, 17.0, 90.0):
        noise = smooth_noise(np.random.default_rng(0), (61, 143), scale)
        assert noise.shape == (61, 143)
        assert abs(float(noise.std()) - 1) < 0.35


def test_a_larger_scale_is_smoother():
    rng = np.random.default_rng(0)
    steps = [
        np.abs(np.diff(smooth_noise(rng, (200, 200), scale), axis=0)).mean()
        for scale in (4, 20, 80)
    ]
    assert steps[0] > 2 * steps[1] > 4 * steps[2]


def test_fibres_vary_less_along_their_direction_than_across():
    flat = np.zeros((120, 120), dtype=np.float32)
    field = fibres(np.random.default_rng(0), flat, width_px=2, length_px=30)
    along = np.abs(np.diff(field, axis=1)).mean()
    across = np.abs(np.diff(field, axis=0)).mean()
    assert across > 3 * along


def test_texture_repeats_after_1024_pixels_without_a_seam():
    texture = fine_texture(np.random.default_rng(0), (40, 1100), 4.0)
    assert np.array_equal(texture[:, :76], texture[:, 1024:])
    inside = np.abs(np.diff(texture, axis=1))
    assert inside[:, 1023].mean() < 2 * inside.mean()
