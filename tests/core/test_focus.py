"""The blur of an image is measured in um, whatever its pixel size and its contrast."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from sthelar_build.core.focus import blur_um, edge_energies, margin_px


def natural(side, seed=0):
    """Return detail whose amplitude falls with frequency, as in images of nature; mean 0, deviation 1."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.rfftfreq(side), indexing="ij"))
    frequency[0, 0] = np.inf
    noise = np.fft.rfft2(np.random.default_rng(seed).normal(size=(side, side)))
    values = np.fft.irfft2(noise / frequency, s=(side, side))
    return values / values.std()


def stained(density):
    grey = np.rint(255 * 10.0 ** -np.clip(density, 0, 2)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def measured(sigma_um, um_per_px=0.5, contrast=0.1):
    density = 0.5 + contrast * gaussian_filter(natural(512), sigma_um / um_per_px, mode="wrap")
    fine, coarse = edge_energies(stained(density), um_per_px).sum(axis=(1, 2))
    return float(blur_um(fine, coarse))


@pytest.mark.parametrize("sigma_um", [1.0, 1.5, 2.5])
def test_the_blur_that_was_put_on_is_measured_in_um(sigma_um):
    assert measured(sigma_um) == pytest.approx(sigma_um, rel=0.12)


def test_neither_contrast_nor_pixel_size_changes_it():
    assert measured(1.5, contrast=0.05) == pytest.approx(measured(1.5, contrast=0.15), rel=0.05)
    assert measured(1.5, um_per_px=0.25) == pytest.approx(measured(1.5, um_per_px=0.5), rel=0.1)


def test_more_blur_is_never_measured_as_less():
    found = [measured(sigma) for sigma in (0, 0.5, 1, 2, 4)]
    assert found == sorted(found)
    assert found[0] < 0.5


def test_an_even_area_has_no_blur_and_pure_gain_counts_as_the_widest():
    even = edge_energies(np.full((8, 8, 3), 200, np.uint8), 0.5).sum(axis=(1, 2))
    assert np.isnan(blur_um(*even))
    assert blur_um(np.array([1.0]), np.array([1.0])) == 20
    assert blur_um(np.array([1.0]), np.array([0.0])) == 0


def test_what_lies_beyond_the_margin_does_not_count():
    image = stained(0.5 + 0.1 * natural(128))
    n = margin_px(0.5)
    window = edge_energies(image[32 - n : 64 + n, 32 - n : 64 + n], 0.5)[:, n:-n, n:-n]
    np.testing.assert_allclose(
        window, edge_energies(image, 0.5)[:, 32:64, 32:64], rtol=1e-3, atol=1e-9
    )
