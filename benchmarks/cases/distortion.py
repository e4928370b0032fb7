"""Sections that were stretched on the slide, or scanned in pieces: displacements of up to some 10 um."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from sthelar_build.core.simulation.population import Population
from sthelar_build.core.simulation.tissue import Tissue

Points = NDArray[np.float64]
Displacement = Callable[[Points], Points]
"""Where points (n, 2) in um of the section lie once it is on the slide, in um."""


def waves(rng: np.random.Generator, amplitude_um: float) -> Displacement:
    """Return a smooth field of wavelengths of 1.5 to 2 mm, at most about ``amplitude_um`` long."""
    turns = 2 * np.pi / rng.uniform(1500, 2000, (2, 2))
    tilts = rng.uniform(0, 2 * np.pi, (2, 2))
    phases = rng.uniform(0, 2 * np.pi, (2, 2))
    waves_xy = turns[..., None] * np.stack([np.cos(tilts), np.sin(tilts)], axis=-1)
    most_um = amplitude_um / np.sqrt(2)

    def moved(points: Points) -> Points:
        heights = np.sin(np.einsum("np,awp->naw", points, waves_xy) + phases)
        return np.asarray(points + most_um * heights.mean(axis=2))

    return moved


def seam(
    rng: np.random.Generator, middle_um: Points, jump_um: float, width_um: float
) -> Displacement:
    """Return a jump across a line near ``middle_um``, smoothed over ``width_um``: two fields, stitched."""
    tilt, way = rng.uniform(0, 2 * np.pi, 2)
    across = np.array([np.cos(tilt), np.sin(tilt)])
    jump = jump_um * np.array([np.cos(way), np.sin(way)])

    def moved(points: Points) -> Points:
        share = np.clip(((points - middle_um) @ across) / width_um + 0.5, 0, 1)
        step = share**2 * (3 - 2 * share)
        return np.asarray(points + step[:, None] * jump)

    return moved


def distorted(
    tissue: Tissue, population: Population, moved: Displacement
) -> tuple[Tissue, Population]:
    """Return all that has an outline where it lies on the slide; the matter between cells stays."""
    lumens = {
        name: tuple(shapely.transform(list(getattr(tissue, name)), moved))
        for name in ("vessels", "cavities", "vacuoles")
    }
    vertices = population.nucleus_vertices
    there = replace(
        population,
        outlines=shapely.transform(population.outlines, moved),
        nuclei=shapely.transform(population.nuclei, moved),
        nucleus_vertices=moved(vertices.reshape(-1, 2)).reshape(vertices.shape),
    )
    return replace(tissue, **lumens), there
