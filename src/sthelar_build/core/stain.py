"""Stains of an H&E image: how much haematoxylin a pixel holds, and whether it is tissue at all."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_HAEMATOXYLIN = (0.650, 0.704, 0.286)
_EOSIN = (0.072, 0.990, 0.105)
"""Absorption of red, green and blue (Ruifrok and Johnston, Anal Quant Cytol Histol 23, 2001)."""
_WHITE_QUANTILE = 0.99
_DARKEST_WHITE = 180
"""A slide without any glass in view has no white of its own; its brightest tissue is not taken for it."""


def haematoxylin(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the amount of haematoxylin of every pixel, by colour deconvolution.

    Parameters
    ----------
    rgb
        Image (h, w, 3), uint8; 255 is taken as white.

    Returns
    -------
    Array (h, w), float32, in units of optical density (base 10) along the haematoxylin vector; 0 where there is none. White
    is 0; what only eosin explains is 0.

    Notes
    -----
    Ruifrok and Johnston (2001): optical densities are written as a sum of haematoxylin, eosin and a
    residual at right angles to both. Black counts as one grey level: its logarithm is finite.
    """
    density = -np.log10(np.maximum(np.arange(256), 1) / 255)
    red, green, blue = _unmixing()[:, 0]
    amount = (density * red).astype(np.float32)[rgb[..., 0]]
    amount += (density * green).astype(np.float32)[rgb[..., 1]]
    amount += (density * blue).astype(np.float32)[rgb[..., 2]]
    return np.asarray(np.maximum(amount, 0))


def tissue_mask(rgb: NDArray[np.uint8], min_density: float) -> NDArray[np.bool_]:
    """Return where an image (h, w, 3) shows stained tissue: dark in some colour, and not grey.

    Densities are taken against the brightest percent of the image, so that a tinted glass is not tissue. ``min_density`` is the optical
    density (base 10) that the strongest channel must have; dust and shadows, which darken all channels alike, must
    differ between channels by half of it.
    """
    if not rgb.size:
        return np.zeros(rgb.shape[:2], dtype=np.bool_)
    white = np.maximum(np.quantile(rgb.reshape(-1, 3), _WHITE_QUANTILE, axis=0), _DARKEST_WHITE)
    density = -np.log10(np.maximum(rgb, 1) / white)
    strongest, weakest = density.max(axis=2), density.min(axis=2)
    return np.asarray((strongest > min_density) & (strongest - weakest > min_density / 2))


def _unmixing() -> NDArray[np.float64]:
    """Return the matrix that takes densities (red, green, blue) to haematoxylin, eosin and residual."""
    first, second = _unit(_HAEMATOXYLIN), _unit(_EOSIN)
    residual = _unit(np.cross(first, second))
    return np.asarray(np.linalg.inv(np.array([first, second, residual])))


def _unit(vector: Any) -> NDArray[np.float64]:
    values = np.asarray(vector, dtype=np.float64)
    return np.asarray(values / np.linalg.norm(values))
