"""Cells of a tissue: where each sits, and what it is."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from sthelar_build.core.simulation.structures import Points, apart, hexagonal
from sthelar_build.core.simulation.tissue import NO_CELLS, Tissue

_STEPS = 14
_FIXED_NEEDS_UM = 7.0


def place_cells(rng: np.random.Generator, tissue: Tissue, density: float) -> pd.DataFrame:
    """Return one row per cell: ``x_um``, ``y_um``, ``fine_label``, ``niche``, ``angle``, ``vacuole``.

    The fixed cells of the structures come first. Between them every niche is filled with a jittered
    lattice of its own spacing, divided by the square root of ``density``; then the free cells push each
    other apart, and stay in their niche.
    """
    fixed = tissue.anchors
    fixed_um = fixed[["x_um", "y_um"]].to_numpy(dtype=np.float64)
    free_um, spacing_um = _lattices(rng, tissue, density, fixed_um)
    free_um = _relaxed(tissue, free_um, spacing_um, fixed_um)
    codes = tissue.grid.at(tissue.niche, free_um)
    free = pd.DataFrame({"x_um": free_um[:, 0], "y_um": free_um[:, 1]})
    free["fine_label"] = _labels(rng, tissue, codes)
    free["niche"] = [tissue.niches[code].name for code in codes]
    free["angle"] = tissue.grid.at(tissue.angle, free_um) + rng.normal(0, 0.15, len(free))
    free["vacuole"] = -1
    return pd.concat([frame for frame in (fixed, free) if len(frame)], ignore_index=True)


def _lattices(
    rng: np.random.Generator, tissue: Tissue, density: float, fixed_um: Points
) -> tuple[Points, NDArray[np.float64]]:
    points: list[Points] = [np.zeros((0, 2))]
    spacings: list[NDArray[np.float64]] = [np.zeros(0)]
    for code, niche in enumerate(tissue.niches):
        if niche.spacing_um == NO_CELLS:
            continue
        spacing = niche.spacing_um / np.sqrt(density)
        lattice = hexagonal(rng, tissue.grid.bounds_um, spacing, jitter=0.27)
        lattice = lattice[tissue.grid.at(tissue.niche, lattice) == code]
        lattice = lattice[apart(lattice, fixed_um, (spacing + _FIXED_NEEDS_UM) / 2)]
        points.append(lattice)
        spacings.append(np.full(len(lattice), spacing))
    return np.concatenate(points), np.concatenate(spacings)


def _relaxed(
    tissue: Tissue, free_um: Points, spacing_um: NDArray[np.float64], fixed_um: Points
) -> Points:
    if len(free_um) < 2:
        return free_um
    home = tissue.grid.at(tissue.niche, free_um)
    needs = np.concatenate([spacing_um, np.full(len(fixed_um), _FIXED_NEEDS_UM + 1)])
    for _ in range(_STEPS):
        everyone = np.concatenate([free_um, fixed_um])
        distance, other = cKDTree(everyone).query(free_um, k=min(7, len(everyone)))
        wanted = 0.43 * (needs[: len(free_um), None] + needs[other])
        away = free_um[:, None, :] - everyone[other]
        push = np.clip(wanted - distance, 0, None) / np.maximum(distance, 0.1)
        moved = free_um + 0.22 * (away * push[..., None]).sum(axis=1)
        stays = tissue.grid.at(tissue.niche, moved) == home
        free_um = np.where(stays[:, None], moved, free_um)
    return free_um


def _labels(
    rng: np.random.Generator, tissue: Tissue, codes: NDArray[np.uint8]
) -> NDArray[np.object_]:
    labels = np.empty(len(codes), dtype=object)
    for code, niche in enumerate(tissue.niches):
        here = codes == code
        if niche.composition:
            shares = np.array(list(niche.composition.values()))
            labels[here] = rng.choice(
                list(niche.composition), size=int(here.sum()), p=shares / shares.sum()
            )
    return labels
