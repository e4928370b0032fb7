"""Tangram: which labels of a reference lie on which cells. Arrays in, arrays out."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sthelar_build.adapters.tangram_sc import place_labels_with_tangram_sc
from sthelar_build.adapters.tangram_torch import Device, has_gpu, place_labels_with_torch
from sthelar_build.core.mapping.chunks import place_labels
from sthelar_build.core.mapping.descent import Schedule, epsilon_for
from sthelar_build.core.mapping.objective import Doubles, Floats, Problem, Terms, Weights
from sthelar_build.core.normalise import row_sums
from sthelar_build.io.progress import progress

logger = logging.getLogger(__name__)

Engine: TypeAlias = Literal["exact", "tangram-sc"]
DensityPrior: TypeAlias = Literal["rna_count_based", "uniform"]
_MEASURED = 0.9
"""Part of a label's density that is measured; the rest is equal for all, so that no label is ruled out."""


@dataclass(frozen=True)
class MappingRecipe:
    """How to map; see ``AnnotateSettings`` for the meaning of each."""

    epochs: int
    density_epochs: int
    tolerance: float
    learning_rate: float
    gene_weight: float
    cell_weight: float
    density_weight: float
    entropy_weight: float
    density_prior: DensityPrior
    bag_cells: int
    seed: int
    engine: Engine
    device: Device

    @property
    def weights(self) -> Weights:
        """Weights of the terms."""
        return Weights(self.gene_weight, self.cell_weight, self.density_weight, self.entropy_weight)

    def schedule(self, epochs: int, n_cells: int) -> Schedule:
        """Return how far to go with so many cells, at most so many steps."""
        return Schedule(epochs, self.learning_rate, self.tolerance, epsilon_for(n_cells))


@dataclass(frozen=True, eq=False)
class Profiles:
    """What is placed: labels (clusters mode), or single cells or groups of cells of the reference."""

    expression: NDArray[np.floating]
    """(profiles, genes): mean expression, rows sum to 1."""
    labels: NDArray[np.integer]
    """(profiles,): number of each profile's label; every label has one."""

    @property
    def n_labels(self) -> int:
        """Number of labels."""
        return int(self.labels.max()) + 1

    def densities(self, of_labels: Doubles) -> Doubles:
        """Return the density of every profile: those of a label share what the label has."""
        return np.asarray(of_labels[self.labels] / np.bincount(self.labels)[self.labels])

    def by_label(self, shares: Floats) -> Floats:
        """Return (cells, labels): the shares of every label's profiles, added up."""
        if np.array_equal(self.labels, np.arange(len(self.labels))):
            return shares
        members = np.zeros((len(self.labels), self.n_labels), dtype=np.float32)
        members[np.arange(len(self.labels)), self.labels] = 1
        return np.asarray(shares @ members)


def label_shares(
    counts: sp.csr_matrix, profiles: Profiles, recipe: MappingRecipe, threads: int = 1
) -> Floats:
    """Return the share of every label on every cell, float32 (cells, labels); rows sum to 1.

    Parameters
    ----------
    counts
        (cells, genes) raw counts; every cell has at least one.
    profiles
        What is placed on them.
    recipe
        How to map.
    threads
        Threads of the engine exact, or bags that tangram-sc maps at a time. The result does not depend on it.

    Notes
    -----
    Tangram makes every label occupy the share of RNA that it is told to. The atlas's own composition is
    not the slide's, so it is measured on the slide: a first, shorter mapping with equal shares w = 1/L,
    then w_l = the RNA on the cells whose strongest label is l (mixed with a tenth of equal shares, so
    that no label is ruled out); then the mapping proper. With P[:, l] the placement of label l over the cells
    (sums to 1), w_l P[s, l] is the RNA of label l on cell s, and the share of l on s is w_l P[s, l] / sum
    over labels of w P[s].
    """
    equal = np.full(profiles.n_labels, 1.0 / profiles.n_labels)
    if not recipe.density_epochs:
        return _map(counts, profiles, equal, recipe, recipe.epochs, threads)
    first = _map(counts, profiles, equal, recipe, recipe.density_epochs, threads)
    rna = np.bincount(first.argmax(axis=1), weights=row_sums(counts), minlength=len(equal))
    measured = _MEASURED * rna / rna.sum() + (1 - _MEASURED) * equal
    return _map(counts, profiles, measured, recipe, recipe.epochs, threads)


def _map(
    counts: sp.csr_matrix,
    profiles: Profiles,
    label_density: Doubles,
    recipe: MappingRecipe,
    epochs: int,
    threads: int,
) -> Floats:
    densities, schedule = (
        profiles.densities(label_density),
        recipe.schedule(epochs, counts.shape[0]),
    )
    if recipe.engine == "tangram-sc":
        shares = _map_bags(counts, profiles.expression, densities, recipe, schedule, threads)
    else:
        shares = _map_slide(counts, profiles.expression, densities, recipe, schedule, threads)
    return profiles.by_label(shares)


def _map_slide(
    counts: sp.csr_matrix,
    expression: NDArray[np.floating],
    densities: Doubles,
    recipe: MappingRecipe,
    schedule: Schedule,
    threads: int,
) -> Floats:
    problem = _problem(counts, expression, densities, recipe)
    start = _start(counts.shape[0], len(expression), recipe.seed, 0)
    steps = progress(range(1, schedule.epochs + 1), "steps of Tangram", schedule.epochs)
    if has_gpu(recipe.device):
        placed, history = place_labels_with_torch(problem, start, schedule, "cuda", steps)
    else:
        placed, history = place_labels(problem, start, schedule, threads, steps)
    _log(history, schedule, counts.shape[0])
    return _shares(placed, densities)


def _map_bags(
    counts: sp.csr_matrix,
    expression: NDArray[np.floating],
    densities: Doubles,
    recipe: MappingRecipe,
    schedule: Schedule,
    threads: int,
) -> Floats:
    """Map bag after bag with tangram-sc, which cannot hold a slide."""
    bags = _bags(counts.shape[0], recipe.bag_cells, recipe.seed)
    shares = np.empty((counts.shape[0], len(expression)), dtype=np.float32)

    def run(number: int) -> None:
        rows = bags[number]
        problem = _problem(counts[rows], expression, densities, recipe)
        start = _start(len(rows), len(expression), recipe.seed, number)
        placed, history = place_labels_with_tangram_sc(problem, start, schedule)
        _log(history, schedule, len(rows))
        shares[rows] = _shares(placed, densities)

    with threadpool_limits(1), ThreadPoolExecutor(threads) as pool:
        for _ in progress(pool.map(run, range(len(bags))), "bags of cells", len(bags)):
            pass
    return shares


def _bags(n_cells: int, bag_cells: int, seed: int) -> list[NDArray[np.intp]]:
    """Return equal random bags of at most ``bag_cells`` cells, each in ascending order."""
    shuffled = np.random.default_rng(seed).permutation(n_cells)
    n_bags = max(1, -(-n_cells // bag_cells))
    return [np.sort(bag) for bag in np.array_split(shuffled, n_bags)]


def _start(n_cells: int, n_profiles: int, seed: int, bag: int) -> Floats:
    rng = np.random.default_rng([seed, bag])
    return rng.standard_normal((n_cells, n_profiles), dtype=np.float32)


def _problem(
    counts: sp.csr_matrix,
    expression: NDArray[np.floating],
    densities: Doubles,
    recipe: MappingRecipe,
) -> Problem:
    seen = np.asarray(counts.sum(axis=0)).ravel() > 0
    seen &= (expression > 0).any(axis=0)
    totals = row_sums(counts)
    if recipe.density_prior == "uniform":
        totals = np.ones(len(totals))
    return Problem(
        profiles=expression[:, seen] * densities[:, None] * counts.shape[0],
        counts=counts if seen.all() else counts[:, seen],
        cell_density=totals / totals.sum(),
        label_density=densities,
        weights=recipe.weights,
    )


def _shares(placed: Floats, densities: Doubles) -> Floats:
    """Turn the placement of every profile over the cells into the profiles' shares of every cell."""
    placed *= densities.astype(np.float32)
    placed /= placed.sum(axis=1, keepdims=True)
    return placed


def _log(history: list[Terms], schedule: Schedule, n_cells: int) -> None:
    last = history[-1]
    steps = min(len(history) - 1, schedule.epochs)
    logger.info(
        "mapped %d cells in %d steps of at most %d: objective %.5f, mean cosine of genes %.5f, of cells %.5f, "
        "divergence %.5f, entropy %.3f",
        n_cells,
        steps,
        schedule.epochs,
        last.total,
        last.genes,
        last.cells,
        last.divergence,
        last.entropy,
    )
