"""Make a slide: tissue, cells, molecules, images; everything the instrument would have seen, and the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.simulation.breast import breast_cancer
from sthelar_build.core.simulation.cell_types import cell_types
from sthelar_build.core.simulation.crop import Scan, cell_table, nucleus_table, scanned
from sthelar_build.core.simulation.dapi import labels_on_grid, morphology_images
from sthelar_build.core.simulation.expression import LOW_COUNT_MAX, cell_counts
from sthelar_build.core.simulation.features import panel_features
from sthelar_build.core.simulation.fields import stream
from sthelar_build.core.simulation.molecules import (
    QV_CUT,
    ambient_molecules,
    cell_molecules,
    located,
    qualities,
    thinned_low_count,
    transcript_table,
)
from sthelar_build.core.simulation.population import Population, populate
from sthelar_build.core.simulation.programmes import Programmes, programmes
from sthelar_build.core.simulation.recipe import Recipe
from sthelar_build.core.simulation.skin import skin
from sthelar_build.core.simulation.slide import PIXEL_SIZE_UM, SimulatedSlide
from sthelar_build.core.simulation.structures import Points
from sthelar_build.core.simulation.tissue import Tissue

PAD_UM = 45.0
"""Tissue goes on for so far around the region: the H&E shows it, the instrument does not."""

_LAYOUTS = {"breast_cancer": breast_cancer, "skin": skin}
_ABSENT = ("pDC", "Neutrophil")
"""Types that the atlas has and the slide has not."""


@dataclass(frozen=True)
class Scene:
    """A simulated slide and what lies behind it."""

    recipe: Recipe
    tissue: Tissue
    population: Population
    programmes: Programmes
    """Over the genes of the panel, then those that only the atlas has."""
    slide: SimulatedSlide


def simulate(**fields: Any) -> SimulatedSlide:
    """Return the slide of a recipe; keyword arguments are the fields of :class:`Recipe`."""
    return simulate_scene(Recipe(**fields)).slide


def simulate_scene(recipe: Recipe) -> Scene:
    """Return the slide of a recipe, with the tissue and the cells around the region."""
    tissue = _tissue(recipe)
    return _scene(recipe, tissue, _programmes(recipe, atlas_labels(tissue)))


def block_scenes(recipe: Recipe) -> Iterator[Scene]:
    """Yield the different blocks of a mosaic: each with a tissue of its own, all with the panel of the first."""
    recipes = [replace(recipe, seed=_seed_of_block(recipe, b)) for b in range(_n_blocks(recipe))]
    tissues = [_tissue(own) for own in recipes]
    named = {label for tissue in tissues for label in atlas_labels(tissue)}
    labels = tuple(label for label in cell_types().index if label in named - {*_ABSENT})
    table = _programmes(recipe, (*labels, *_ABSENT))
    for own, tissue in zip(recipes, tissues, strict=True):
        yield _scene(own, tissue, table)


def _n_blocks(recipe: Recipe) -> int:
    return min(recipe.mosaic_blocks, recipe.mosaic_rows * recipe.mosaic_columns)


def _seed_of_block(recipe: Recipe, block: int) -> int:
    return int(stream(recipe.seed, f"block {block}").integers(2**31))


def _tissue(recipe: Recipe) -> Tissue:
    return _LAYOUTS[recipe.tissue](
        stream(recipe.seed, "tissue"),
        recipe.width_um,
        recipe.height_um,
        recipe.off_tissue_share,
        PAD_UM,
    )


def _programmes(recipe: Recipe, labels: tuple[str, ...]) -> Programmes:
    n_genes = recipe.panel_size + recipe.reference_extra_genes
    return programmes(stream(recipe.seed, "programmes"), labels, n_genes)


def _scene(recipe: Recipe, tissue: Tissue, table: Programmes) -> Scene:
    shape_px = (_pixels(recipe.height_um), _pixels(recipe.width_um))
    population = populate(tissue, recipe)
    slide = _scan(recipe, tissue, population, table.first(recipe.panel_size), shape_px)
    return Scene(recipe, tissue, population, table, slide)


def atlas_labels(tissue: Tissue) -> tuple[str, ...]:
    """Return the fine labels that a tissue can hold, and two that it lacks, in the order of the tables."""
    named = {label for niche in tissue.niches for label in niche.composition}
    named |= set(tissue.anchors["fine_label"])
    return (*(label for label in cell_types().index if label in named), *_ABSENT)


def _pixels(length_um: float) -> int:
    return max(1, round(length_um / PIXEL_SIZE_UM))


def _scan(
    recipe: Recipe,
    tissue: Tissue,
    population: Population,
    panel: Programmes,
    shape_px: tuple[int, int],
) -> SimulatedSlide:
    height_um, width_um = shape_px[0] * PIXEL_SIZE_UM, shape_px[1] * PIXEL_SIZE_UM
    scan = scanned(population, width_um, height_um)
    major = int(recipe.xoa_version.split(".", maxsplit=1)[0])
    features = panel_features(panel, major)
    ids = stream(recipe.seed, "ids")
    cells = cell_table(ids, population, scan, recipe.id_suffix, v1=major < 2)
    transcripts = _transcripts(
        recipe, tissue, population, scan, panel, features, (width_um, height_um)
    )
    images = morphology_images(recipe.seed, tissue, population, shape_px, recipe.multichannel)
    return SimulatedSlide(
        features, cells, nucleus_table(ids, population, scan), transcripts, images
    )


def _transcripts(
    recipe: Recipe,
    tissue: Tissue,
    population: Population,
    scan: Scan,
    panel: Programmes,
    features: pd.DataFrame,
    size_um: tuple[float, float],
) -> pd.DataFrame:
    rng = stream(recipe.seed, "transcripts")
    counts = cell_counts(rng, population, panel, recipe.transcripts_per_cell, recipe.mixing)
    points, codeword = cell_molecules(rng, population, counts, recipe.diffusion_um)
    points, codeword = _within(points, codeword, size_um)
    cell_row, in_nucleus = located(points, scan.outlines, scan.nuclei, scan.owner)
    extra, extra_codeword = _between_cells(
        rng, recipe, tissue, scan, counts, int((cell_row >= 0).sum()), int((cell_row < 0).sum())
    )
    controls = _control_molecules(rng, recipe, features, len(points) + len(extra), size_um)
    extra, extra_codeword = _within(
        np.concatenate([extra, controls[0]]),
        np.concatenate([extra_codeword, controls[1]]),
        size_um,
    )
    extra_row, extra_nucleus = located(extra, scan.outlines, scan.nuclei, scan.owner)
    points, codeword = np.concatenate([points, extra]), np.concatenate([codeword, extra_codeword])
    cell_row = np.concatenate([cell_row, extra_row])
    in_nucleus = np.concatenate([in_nucleus, extra_nucleus])
    qv = qualities(rng, len(points), recipe.low_quality_share)
    counted = (qv >= QV_CUT) & (codeword < len(panel.genes))
    low = population.cells["low_count"].to_numpy()[scan.cell_rows]
    keep = thinned_low_count(rng, cell_row, counted, low, LOW_COUNT_MAX)
    return transcript_table(
        rng, points[keep], codeword[keep], qv[keep], cell_row[keep], in_nucleus[keep]
    )


def _within(
    points_um: Points, codeword: NDArray[np.int32], size_um: tuple[float, float]
) -> tuple[Points, NDArray[np.int32]]:
    stored = points_um.astype(np.float32).astype(np.float64)
    inside = ((stored >= 0) & (stored < np.asarray(size_um))).all(axis=1)
    return stored[inside], codeword[inside]


def _between_cells(
    rng: np.random.Generator,
    recipe: Recipe,
    tissue: Tissue,
    scan: Scan,
    counts: NDArray[np.int32],
    assigned: int,
    unassigned: int,
) -> tuple[Points, NDArray[np.int32]]:
    wanted = round(assigned * recipe.unassigned_share / max(1e-6, 1 - recipe.unassigned_share))
    shape = (int(2 * recipe.height_um), int(2 * recipe.width_um))
    rows, columns = np.indices(shape).reshape(2, -1)
    places = np.stack([columns + 0.5, rows + 0.5], axis=1) / 2
    in_cell = labels_on_grid(scan.outlines, 2.0, shape).ravel() > 0
    here = tissue.grid.at(tissue.on_tissue(), places)
    points = ambient_molecules(rng, places[here], in_cell[here], max(0, wanted - unassigned))
    profile = counts.sum(axis=0) + 1.0
    return points, rng.choice(len(profile), len(points), p=profile / profile.sum()).astype(np.int32)


def _control_molecules(
    rng: np.random.Generator,
    recipe: Recipe,
    features: pd.DataFrame,
    n_molecules: int,
    size_um: tuple[float, float],
) -> tuple[Points, NDArray[np.int32]]:
    controls = np.flatnonzero(~features["category"].str.endswith("_gene"))
    count = round(recipe.control_share * n_molecules)
    points = rng.uniform(0, 1, (count, 2)) * np.asarray(size_um)
    return points, rng.choice(controls, count).astype(np.int32)
