"""What lies between the cells: collagen drawn as fibres, gaps between bundles, keratin, bare glass."""

from __future__ import annotations

import numpy as np
from scipy import ndimage, special

from sthelar_build.core.simulation.fields import Field, fibres, smooth_noise
from sthelar_build.core.simulation.tissue import Tissue

STEP_UM = 0.5
"""Pixel of the matrix rasters: fibres are one to two micrometres wide."""
_FACTOR = 2


def tissue_thickness(rng: np.random.Generator, tissue: Tissue) -> Field:
    """Return how much tissue there is, on the grid: 0 on glass, about 1 with slow variation elsewhere."""
    soft = ndimage.gaussian_filter(tissue.on_tissue().astype(np.float32), 0.8)
    return np.asarray(soft * (1 + 0.06 * smooth_noise(rng, tissue.grid.shape, 200)))


def matrix_eosin(rng: np.random.Generator, tissue: Tissue) -> Field:
    """Return the eosin between cells on a raster of 0.5 um, twice the grid's shape.

    Each niche's level is modulated by thin fibres and thick bundles along the tissue's directions; where
    the bundles part there are white clefts, as many as the niche has.
    """
    level = _per_niche(tissue, [niche.eosin for niche in tissue.niches], 1.2)
    fibrous = _per_niche(tissue, [niche.fibrous for niche in tissue.niches], 3.0)
    clefts = _per_niche(tissue, [niche.clefts for niche in tissue.niches], 3.0)
    angle = tissue.angle.repeat(_FACTOR, 0).repeat(_FACTOR, 1)
    angle = angle + np.float32(0.18) * smooth_noise(rng, angle.shape, 36)
    thin = fibres(rng, angle, width_px=2.2, length_px=34)
    bundles = fibres(rng, angle[::_FACTOR, ::_FACTOR], width_px=3.5, length_px=34)
    bundles = ndimage.gaussian_filter(bundles.repeat(_FACTOR, 0).repeat(_FACTOR, 1), 1.0)
    eosin = level * np.clip(1 + fibrous * (0.20 * thin + 0.20 * bundles), 0.1, 2.2)
    torn = bundles + 0.35 * thin + 0.3 * smooth_noise(rng, angle.shape, 60)
    torn /= torn.std()
    threshold = special.ndtri(np.clip(clefts, 1e-4, 0.9)).astype(np.float32)
    gap = 1 / (1 + np.exp(-np.clip(9 * (threshold - torn), -30, 30)))
    return np.asarray((eosin * (1 - 0.92 * gap)).astype(np.float32))


def _per_niche(tissue: Tissue, values: list[float], blur_um: float) -> Field:
    field = np.array(values, dtype=np.float32)[tissue.niche]
    field = field.repeat(_FACTOR, 0).repeat(_FACTOR, 1)
    return np.asarray(ndimage.gaussian_filter(field, blur_um / STEP_UM))
