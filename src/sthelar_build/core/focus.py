"""How sharp an image is: its blur in um, from how much a known blur takes from its detail."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

FINE_UM, COARSE_UM = 0.6, 1.2
"""Standard deviations of the two Gaussians. The finer takes the noise of the camera and of compression away; the
coarser is still smaller than half a nucleus, so that neighbouring edges do not meet."""

_GREEN = 1
_TRUNCATE = 3.0
_OPTICAL_DENSITY = -np.log10(np.maximum(np.arange(256), 1) / 255).astype(np.float32)
_WIDEST_UM = 20.0
"""An image without edges at all is as blurred as can be."""


def margin_px(um_per_px: float) -> int:
    """Return how far beyond a window its edge energies look, in pixels."""
    return math.ceil(_TRUNCATE * COARSE_UM / um_per_px + 0.5) + 1


def edge_energies(rgb: NDArray[np.uint8], um_per_px: float) -> NDArray[np.float32]:
    """Return the squared gradient of the stain at every pixel after either Gaussian.

    Parameters
    ----------
    rgb
        Image (h, w, 3). Its green channel, which both stains absorb, is taken as optical density: then a pale stain
        and a dim lamp scale all edges alike.
    um_per_px
        Pixel size.

    Returns
    -------
    Array (2, h, w): after FINE_UM, after COARSE_UM; differences to the next pixel, so that the last row and column are 0.
    Within ``margin_px`` of the border the mirror image counts.
    """
    density = _OPTICAL_DENSITY[rgb[..., _GREEN]]
    return np.stack([_squared_gradient(density, s / um_per_px) for s in (FINE_UM, COARSE_UM)])


def blur_um(fine: NDArray[np.floating], coarse: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the blur of an area, as the standard deviation of a Gaussian, in um.

    Parameters
    ----------
    fine, coarse
        Sums of the edge energies over the area, of any shape.

    Returns
    -------
    Same shape, float32. 0 where it is sharper than can be told, at most 20; NaN where there is no energy at all.

    Notes
    -----
    Images of nature have an amplitude spectrum of 1 / frequency (Field, J Opt Soc Am A 4, 1987). Blurred by s and then by
    a Gaussian of width f or c, the energies of the gradient are as 1 / (s^2 + f^2) and 1 / (s^2 + c^2): their ratio
    gives s, whatever the contrast (the re-blur estimate of Zhuo and Sim, Pattern Recognition 44, 2011, over whole areas
    in place of single edges). A sharp image keeps the width of its own softest detail.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.clip(np.asarray(coarse, dtype=np.float64) / fine, 0, 1)
        variance = (COARSE_UM**2 * ratio - FINE_UM**2) / (1 - ratio)
    width = np.sqrt(np.clip(variance, 0, _WIDEST_UM**2))
    return np.asarray(np.where(np.asarray(fine) > 0, width, np.nan), dtype=np.float32)


def _squared_gradient(values: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    smooth = gaussian_filter(values, sigma_px, mode="mirror", truncate=_TRUNCATE)
    energy = np.zeros_like(smooth)
    here = smooth[:-1, :-1]
    across, down = smooth[:-1, 1:] - here, smooth[1:, :-1] - here
    across *= across
    down *= down
    np.add(across, down, out=energy[:-1, :-1])
    return np.asarray(energy)
