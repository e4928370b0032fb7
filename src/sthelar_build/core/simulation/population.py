"""All cells of a simulated tissue with their outlines, nuclei and planted defects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from sthelar_build.core.simulation.cell_types import cell_types
from sthelar_build.core.simulation.fields import stream
from sthelar_build.core.simulation.nuclei import (
    Shapes,
    outline_vertices,
    polygons,
    separated,
    with_hole,
)
from sthelar_build.core.simulation.outlines import EXPANSION_UM, around_nuclei, grown_outlines
from sthelar_build.core.simulation.placement import place_cells
from sthelar_build.core.simulation.recipe import Recipe
from sthelar_build.core.simulation.tissue import Tissue

_INSIDE_UM = 8.0
_ROOM_FOR_TWO_UM = 3.4


@dataclass(frozen=True)
class Population:
    """Cells and nuclei in um; also those around the region, which only the H&E shows."""

    cells: pd.DataFrame
    """``x_um``, ``y_um``, ``fine_label``, ``class_name``, ``niche``, ``angle``, ``vacuole``,
    ``mixed_with``, ``low_count``, ``has_nucleus``, ``radius_um``, ``aspect``."""
    outlines: Shapes
    """One valid polygon per cell."""
    nuclei: Shapes
    """Valid polygons, some with a hole."""
    nucleus_vertices: NDArray[np.float64]
    """(nuclei, 28, 2): the outer ring of every nucleus."""
    owner: NDArray[np.int64]
    """The cell of every nucleus."""
    bow_tie: NDArray[np.bool_]
    """Nuclei whose ring in the bundle crosses itself."""


def populate(tissue: Tissue, recipe: Recipe) -> Population:
    """Fill a tissue with cells, as the recipe says."""
    cells = _described(tissue, recipe)
    owner, vertices = _nuclei_of(cells, recipe)
    nuclei = polygons(vertices)
    outlines = _outlines(tissue, cells, nuclei, owner)
    nuclei, bow_tie = _with_defects(cells, nuclei, owner, recipe)
    return Population(cells, outlines, nuclei, vertices, owner, bow_tie)


def _described(tissue: Tissue, recipe: Recipe) -> pd.DataFrame:
    rng = stream(recipe.seed, "cells")
    cells = place_cells(rng, tissue, recipe.cell_density)
    kinds = cell_types().loc[cells["fine_label"]]
    n = len(cells)
    cells["class_name"] = kinds["class_name"].to_numpy()
    cells["radius_um"] = kinds["radius_um"].to_numpy() * np.exp(
        kinds["radius_cv"].to_numpy() * rng.standard_normal(n)
    )
    cells["aspect"] = np.maximum(
        1.0, kinds["aspect"].to_numpy() + kinds["aspect_sd"].to_numpy() * rng.standard_normal(n)
    )
    turned = cells["class_name"].isin(["T_NK", "B_Plasma", "Myeloid"]) | (
        cells["niche"] == "tumour"
    )
    cells["angle"] = np.where(turned, rng.uniform(0, np.pi, n), cells["angle"])
    inside = _inside(cells, recipe)
    cells["low_count"] = inside & (rng.random(n) < recipe.low_count_share)
    cells["has_nucleus"] = ~(inside & (rng.random(n) < recipe.no_nucleus_share))
    cells["mixed_with"] = _mixing_partners(rng, cells, recipe.mixed_share)
    return cells


def _inside(cells: pd.DataFrame, recipe: Recipe) -> NDArray[np.bool_]:
    x, y = cells["x_um"].to_numpy(), cells["y_um"].to_numpy()
    return np.asarray(
        (x > _INSIDE_UM)
        & (x < recipe.width_um - _INSIDE_UM)
        & (y > _INSIDE_UM)
        & (y < recipe.height_um - _INSIDE_UM)
    )


def _mixing_partners(
    rng: np.random.Generator, cells: pd.DataFrame, share: float
) -> NDArray[np.object_]:
    partner = np.full(len(cells), None, dtype=object)
    points = cells[["x_um", "y_um"]].to_numpy()
    classes = cells["class_name"].to_numpy()
    labels = cells["fine_label"].to_numpy()
    k = min(10, len(cells))
    if k < 2:
        return partner
    mixed = np.flatnonzero((rng.random(len(cells)) < share) & ~cells["low_count"].to_numpy())
    _, near = cKDTree(points).query(points[mixed], k=k)
    other = classes[near] != classes[mixed][:, None]
    found = other.any(axis=1)
    nearest = near[np.arange(len(near)), other.argmax(axis=1)]
    partner[mixed[found]] = labels[nearest[found]]
    return partner


def _nuclei_of(
    cells: pd.DataFrame, recipe: Recipe
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    rng = stream(recipe.seed, "nuclei")
    rows = np.arange(len(cells))
    has = cells["has_nucleus"].to_numpy()
    two = has & (rng.random(len(cells)) < recipe.two_nuclei_share)
    two &= (cells["radius_um"].to_numpy() > _ROOM_FOR_TWO_UM) & _inside(cells, recipe)
    owner = np.sort(np.concatenate([rows[has], rows[two]]))
    chosen = cells.iloc[owner]
    twin = two[owner]
    angle = chosen["angle"].to_numpy(dtype=np.float64)
    radius = chosen["radius_um"].to_numpy() * np.where(twin, 0.78, 1.0)
    aspect = np.where(twin, 1.15, chosen["aspect"].to_numpy())
    side = np.where(np.r_[False, owner[1:] == owner[:-1]], -1.0, 1.0) * twin
    shift = (side * radius * 1.02)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    centres = chosen[["x_um", "y_um"]].to_numpy() + shift
    irregularity = cell_types().loc[chosen["fine_label"], "irregularity"].to_numpy()
    vertices = outline_vertices(
        rng, centres, radius, aspect, angle + twin * np.pi / 2, irregularity
    )
    return owner, separated(rng, vertices, recipe.overlapping_nuclei_share)


def _outlines(
    tissue: Tissue, cells: pd.DataFrame, nuclei: Shapes, owner: NDArray[np.int64]
) -> Shapes:
    radius = cells["radius_um"].to_numpy()
    reach = radius * np.sqrt(cells["aspect"].to_numpy()) + EXPANSION_UM
    outlines = grown_outlines(cells[["x_um", "y_um"]].to_numpy(), radius, reach)
    near = np.full(len(cells), None, dtype=object)
    near[owner] = shapely.buffer(nuclei, EXPANSION_UM, quad_segs=4)
    near[owner[1:][owner[1:] == owner[:-1]]] = None
    limited = near != None  # noqa: E711
    outlines[limited] = shapely.intersection(outlines[limited], near[limited])
    fat = cells["vacuole"].to_numpy() >= 0
    droplets = np.array(tissue.vacuoles, dtype=object)[cells["vacuole"].to_numpy()[fat]]
    outlines[fat] = shapely.buffer(droplets, 1.2, quad_segs=4)
    return around_nuclei(outlines, nuclei, owner)


def _with_defects(
    cells: pd.DataFrame, nuclei: Shapes, owner: NDArray[np.int64], recipe: Recipe
) -> tuple[Shapes, NDArray[np.bool_]]:
    rng = stream(recipe.seed, "defects")
    nuclei = nuclei.copy()
    safe = np.flatnonzero(_inside(cells, recipe)[owner])
    safe = safe[shapely.area(nuclei[safe]) > 30]
    chosen = rng.permutation(safe)[: recipe.holes + recipe.bow_ties]
    for nucleus in chosen[: recipe.holes]:
        nuclei[nucleus] = with_hole(rng, nuclei[nucleus])
    bow_tie = np.zeros(len(nuclei), dtype=bool)
    bow_tie[chosen[recipe.holes :]] = True
    return nuclei, bow_tie
