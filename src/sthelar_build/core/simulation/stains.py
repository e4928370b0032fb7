"""From concentrations of stain to the colours of a bright-field scanner (Beer-Lambert)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sthelar_build.core.simulation.fields import Field

_LAMP = 243.0
_GRAIN = 1.7
_OPTICS_PX = 0.55


@dataclass(frozen=True)
class Stains:
    """Absorbance (red, green, blue) per unit of concentration of each pigment."""

    haematoxylin: NDArray[np.float64]
    eosin: NDArray[np.float64]
    blood: NDArray[np.float64]
    melanin: NDArray[np.float64]


@dataclass(frozen=True)
class Concentrations:
    """How much of each pigment every pixel holds, (y, x) float32."""

    haematoxylin: Field
    eosin: Field
    blood: Field
    melanin: Field


def slide_stains(rng: np.random.Generator, variation: float) -> Stains:
    """Return the stains of one slide; ``variation`` 0 is the textbook, 1 the spread between laboratories."""

    def varied(absorbance: tuple[float, float, float], strength: float) -> NDArray[np.float64]:
        hue = rng.normal(0, 0.05 * variation, 3)
        return np.asarray(
            (np.array(absorbance) + hue) * np.exp(rng.normal(0, strength * variation))
        )

    return Stains(
        haematoxylin=varied((0.86, 0.96, 0.42), 0.13),
        eosin=varied((0.09, 0.86, 0.42), 0.18),
        blood=varied((0.16, 1.05, 0.80), 0.10),
        melanin=varied((0.75, 1.05, 1.35), 0.05),
    )


def photograph(
    rng: np.random.Generator, concentrations: Concentrations, stains: Stains
) -> NDArray[np.uint8]:
    """Return the RGB image (y, x, 3) that a scanner takes: absorbed light, slightly blurred, with grain."""
    shape = concentrations.haematoxylin.shape
    image = np.empty((*shape, 3), dtype=np.uint8)
    for channel in range(3):
        density = concentrations.haematoxylin * np.float32(stains.haematoxylin[channel])
        density += concentrations.eosin * np.float32(stains.eosin[channel])
        density += concentrations.blood * np.float32(stains.blood[channel])
        density += concentrations.melanin * np.float32(stains.melanin[channel])
        light = np.float32(_LAMP) * np.exp(-np.maximum(density, 0))
        light = ndimage.gaussian_filter(light, _OPTICS_PX)
        light += np.float32(_GRAIN) * rng.standard_normal(shape, dtype=np.float32)
        image[..., channel] = np.clip(light + 0.5, 0, 255).astype(np.uint8)
    return image
