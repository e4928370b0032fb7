"""A slide as the stage ``count`` leaves it, without images or molecules, and the truth behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import geopandas
import numpy as np
import pandas as pd
import scipy.sparse as sp
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from annotation_cases.plan import Plan
from sthelar_build.core.cell_tables import cells_table, nuclei_table
from sthelar_build.core.simulation.breast import breast_cancer
from sthelar_build.core.simulation.cell_types import cell_types
from sthelar_build.core.simulation.crop import Scan, cell_table, scanned
from sthelar_build.core.simulation.expression import cell_counts
from sthelar_build.core.simulation.fields import stream
from sthelar_build.core.simulation.population import Population, populate
from sthelar_build.core.simulation.programmes import Programmes, programmes
from sthelar_build.core.simulation.recipe import Recipe
from sthelar_build.core.simulation.simulate import PAD_UM, atlas_labels
from sthelar_build.core.simulation.skin import skin

_LAYOUTS = {"breast_cancer": breast_cancer, "skin": skin}
_ATLAS_GENES = 300
_NEIGHBOURS = 4
_REACH_UM = 20.0
_ONTO_NUCLEUS = 0.25


@dataclass(frozen=True)
class CountedSlide:
    """Tables of a slide; counts are CSR int32."""

    truth: geopandas.GeoDataFrame
    """One row per cell of the bundle: ``cell_id``, ``fine_label``, ``class_name``, ``low_count``."""
    cells: pd.DataFrame
    nuclei: pd.DataFrame
    cell_counts: sp.csr_matrix
    nucleus_counts: sp.csr_matrix
    programmes: Programmes
    """Over the genes of the panel, then those that only the atlas has, as the atlas would see them."""


def counted_slide(plan: Plan) -> CountedSlide:
    """Simulate the slide of a plan."""
    recipe, population, labels = _populated(plan.tissue, plan.width_um, plan.seed)
    known = programmes(
        stream(plan.seed, "programmes"),
        tuple(dict.fromkeys((*labels, *plan.extra))),
        plan.panel + _ATLAS_GENES,
    )
    scan = _with_rare(plan, population, scanned(population, recipe.width_um, recipe.height_um))
    truth = cell_table(stream(plan.seed, "ids"), population, scan, recipe.id_suffix, v1=False)
    nuclei = nuclei_table(truth["cell_id"].to_numpy()[scan.owner], scan.nuclei)
    cells = cells_table(_centred(truth), np.arange(len(truth)), truth.geometry.to_numpy(), nuclei)
    nuclear, cytoplasm = _compartments(plan, population, scan, known)
    points_um = cells[["x_um", "y_um"]].to_numpy()
    nuclear, cytoplasm = _spilled(stream(plan.seed, "spill"), nuclear, cytoplasm, points_um, plan)
    owned = _of_nuclei(stream(plan.seed, "nuclei"), nuclear, scan.owner)
    return CountedSlide(truth, cells, nuclei, nuclear + cytoplasm, owned, known)


@cache
def _populated(
    tissue_name: str, width_um: float, seed: int
) -> tuple[Recipe, Population, tuple[str, ...]]:
    recipe = Recipe(
        seed=seed, tissue=tissue_name, width_um=width_um, height_um=width_um, mixed_share=0.0
    )
    tissue = _LAYOUTS[tissue_name](
        stream(seed, "tissue"), width_um, width_um, recipe.off_tissue_share, PAD_UM
    )
    return recipe, populate(tissue, recipe), atlas_labels(tissue)


def _with_rare(plan: Plan, population: Population, scan: Scan) -> Scan:
    """Return the cells of the scan without most of the rare class."""
    classes = population.cells["class_name"].to_numpy()[scan.cell_rows]
    members = stream(plan.seed, "rare").permutation(np.flatnonzero(classes == plan.rare))
    n_kept = round(plan.rare_share / (1 - plan.rare_share) * (len(classes) - len(members)))
    kept = np.ones(len(classes), dtype=bool)
    kept[members[n_kept:]] = False
    nuclei = kept[scan.owner]
    position = np.cumsum(kept) - 1
    return Scan(
        scan.cell_rows[kept],
        scan.nucleus_rows[nuclei],
        scan.outlines[kept],
        scan.nuclei[nuclei],
        position[scan.owner[nuclei]],
    )


def _centred(truth: geopandas.GeoDataFrame) -> pd.DataFrame:
    centres = shapely.centroid(truth.geometry.to_numpy())
    return pd.DataFrame(truth[["cell_id", "segmentation_method"]]).assign(
        x_um=shapely.get_x(centres), y_um=shapely.get_y(centres)
    )


def _compartments(
    plan: Plan, population: Population, scan: Scan, known: Programmes
) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """Return the molecules of every cell of the scan, those in its nuclei and the others."""
    rng = stream(plan.seed, "expression")
    kinds = cell_types().loc[population.cells["fine_label"].to_numpy()[scan.cell_rows]]
    seen = _seen_by_slide(plan, known.first(plan.panel))
    per_cell = plan.depth / float(np.median(kinds["transcripts"]))
    counts = cell_counts(rng, population, seen, per_cell, mixing=0.0)[scan.cell_rows]
    whole = sp.csr_matrix(counts)
    has_nucleus = population.cells["has_nucleus"].to_numpy()[scan.cell_rows]
    share = np.where(has_nucleus, kinds["nuclear_share"].to_numpy(), 0.0)
    nuclear = _part(whole, rng.binomial(whole.data, np.repeat(share, np.diff(whole.indptr))))
    return nuclear, sp.csr_matrix(whole - nuclear)


def _seen_by_slide(plan: Plan, panel: Programmes) -> Programmes:
    """Return what the instrument sees of the programmes: every gene with an efficiency of its own."""
    factors = stream(plan.seed, "batch").lognormal(0, plan.batch_sd, len(panel.genes))
    profile = panel.profile * factors
    return replace(panel, profile=profile / profile.sum(axis=1, keepdims=True))


def _part(whole: sp.csr_matrix, values: NDArray[np.integer]) -> sp.csr_matrix:
    part = sp.csr_matrix((values, whole.indices, whole.indptr), shape=whole.shape, copy=True)
    part.eliminate_zeros()
    return part


def _spilled(
    rng: np.random.Generator,
    nuclear: sp.csr_matrix,
    cytoplasm: sp.csr_matrix,
    points_um: NDArray[np.float64],
    plan: Plan,
) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """Give a share of the molecules to one of the four nearest cells within 20 um.

    They come from nucleus and cytoplasm alike; one in four seems to lie in the neighbour's nucleus.
    """
    distance_um, near = cKDTree(points_um).query(points_um, k=_NEIGHBOURS + 1)
    n_near = (distance_um[:, 1:] <= _REACH_UM).sum(axis=1)
    kept, arrived = [], []
    for part in (nuclear, cytoplasm):
        rows = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
        leaving = rng.binomial(part.data, np.where(n_near[rows] > 0, plan.spill, 0.0))
        kept.append(sp.csr_matrix(part - _part(part, leaving)))
        source, gene = np.repeat(rows, leaving), np.repeat(part.indices, leaving)
        chosen = (rng.random(len(source)) * n_near[source]).astype(np.intp)
        arrived.append((near[source, chosen + 1], gene))
    target, gene = (np.concatenate(parts) for parts in zip(*arrived, strict=True))
    onto = rng.random(len(target)) < _ONTO_NUCLEUS
    gained = [
        sp.csr_matrix((np.ones(m.sum(), int), (target[m], gene[m])), shape=nuclear.shape)
        for m in (onto, ~onto)
    ]
    return kept[0] + gained[0], kept[1] + gained[1]


def _of_nuclei(
    rng: np.random.Generator, nuclear: sp.csr_matrix, owner: NDArray[np.integer]
) -> sp.csr_matrix:
    """Return one row per nucleus: two nuclei of a cell share its nuclear molecules by chance."""
    rows = nuclear[owner]
    second = np.flatnonzero(np.r_[False, owner[1:] == owner[:-1]])
    alone = np.setdiff1d(np.arange(len(owner)), np.r_[second, second - 1])
    shared = sp.csr_matrix(rows[second])
    half = _part(shared, rng.binomial(shared.data, 0.5))
    order = np.argsort(np.concatenate([alone, second - 1, second]))
    return sp.csr_matrix(sp.vstack([rows[alone], shared - half, half], format="csr")[order])
