"""Tangram: which labels of a reference lie on which cells. Arrays in, arrays out."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sthelar_build.core.mapping import Floats, Problem, place_labels
from sthelar_build.core.normalise import row_sums
from sthelar_build.io.progress import progress

Engine = Literal["sparse", "tangram-sc"]


@dataclass(frozen=True)
class MappingRecipe:
    """How to map; see ``AnnotateSettings`` for the meaning of each."""

    epochs: int
    density_epochs: int
    learning_rate: float
    density_weight: float
    bag_cells: int
    seed: int
    engine: Engine


def label_shares(
    counts: sp.csr_matrix, profiles: NDArray[np.float64], recipe: MappingRecipe, threads: int = 1
) -> Floats:
    """Return the share of every label on every cell, float32 (cells, labels); rows sum to 1.

    Parameters
    ----------
    counts
        (cells, genes) raw counts; every cell has at least one.
    profiles
        (labels, genes) mean expression, rows sum to 1.
    recipe
        How to map.
    threads
        Bags mapped at a time. The result does not depend on it.

    Notes
    -----
    Tangram makes every label occupy the share of RNA that it is told to. The atlas's own composition is
    not the slide's, so it is measured on the slide: a first, shorter mapping with equal shares w = 1/L,
    then w_l = the RNA on the cells whose strongest label is l (mixed with a tenth of equal shares, so
    that no label is ruled out), over all bags; then the mapping proper. With P[:, l] the placement of
    label l over the cells of a bag (sums to 1), w_l P[s, l] is the RNA of label l on cell s, and the
    share of l on s is w_l P[s, l] / sum over labels of w P[s].
    """
    bags = _bags(counts.shape[0], recipe.bag_cells, recipe.seed)
    equal = np.full(len(profiles), 1.0 / len(profiles))
    if not recipe.density_epochs:
        return _map_bags(counts, profiles, equal, bags, recipe, recipe.epochs, threads)
    first = _map_bags(counts, profiles, equal, bags, recipe, recipe.density_epochs, threads)
    rna = np.bincount(first.argmax(axis=1), weights=row_sums(counts), minlength=len(profiles))
    measured = 0.9 * rna / rna.sum() + 0.1 * equal
    return _map_bags(counts, profiles, measured, bags, recipe, recipe.epochs, threads)


def _bags(n_cells: int, bag_cells: int, seed: int) -> list[NDArray[np.intp]]:
    """Return equal random bags of at most ``bag_cells`` cells, each in ascending order."""
    shuffled = np.random.default_rng(seed).permutation(n_cells)
    n_bags = max(1, -(-n_cells // bag_cells))
    return [np.sort(bag) for bag in np.array_split(shuffled, n_bags)]


def _map_bags(
    counts: sp.csr_matrix,
    profiles: NDArray[np.float64],
    label_density: NDArray[np.float64],
    bags: list[NDArray[np.intp]],
    recipe: MappingRecipe,
    epochs: int,
    threads: int,
) -> Floats:
    shares = np.empty((counts.shape[0], len(profiles)), dtype=np.float32)

    def run(number: int) -> None:
        rows = bags[number]
        rng = np.random.default_rng([recipe.seed, number])
        start = rng.standard_normal((len(rows), len(profiles)), dtype=np.float32)
        shares[rows] = _map_bag(counts[rows], profiles, label_density, start, recipe, epochs)

    with threadpool_limits(1), ThreadPoolExecutor(threads) as pool:
        for _ in progress(pool.map(run, range(len(bags))), "bags of cells", len(bags)):
            pass
    return shares


def _map_bag(
    counts: sp.csr_matrix,
    profiles: NDArray[np.float64],
    label_density: NDArray[np.float64],
    start: Floats,
    recipe: MappingRecipe,
    epochs: int,
) -> Floats:
    seen = np.asarray(counts.sum(axis=0)).ravel() > 0
    seen &= (profiles > 0).any(axis=0)
    totals = row_sums(counts)
    problem = Problem(
        profiles=profiles[:, seen] * label_density[:, None] * counts.shape[0],
        counts=counts[:, seen],
        cell_density=totals / totals.sum(),
        label_density=label_density,
        density_weight=recipe.density_weight,
    )
    place = place_labels if recipe.engine == "sparse" else place_labels_with_tangram_sc
    placed = place(problem, start, epochs, recipe.learning_rate) * label_density
    return np.asarray(placed / placed.sum(axis=1, keepdims=True), dtype=np.float32)


def place_labels_with_tangram_sc(
    problem: Problem, start: Floats, epochs: int, learning_rate: float = 0.1
) -> Floats:
    """Return what tangram-sc's own optimiser makes of a problem: the yardstick of ``place_labels``."""
    import torch

    with _contained():
        from tangram.mapping_optimizer import Mapper

    # random_state: tangram-sc takes 0 for "no seed"; its start is replaced by ours anyway.
    mapper: Any = Mapper(
        S=problem.profiles,
        G=problem.counts.toarray(),
        d=problem.cell_density,
        d_source=problem.label_density,
        lambda_d=problem.density_weight,
        lambda_g1=1,
        random_state=None,
    )
    mapper.M = torch.tensor(start.T.copy(), dtype=torch.float32, requires_grad=True)
    placement, _ = mapper.train(num_epochs=epochs, learning_rate=learning_rate, print_each=None)
    return np.ascontiguousarray(placement.T)


@contextmanager
def _contained() -> Iterator[None]:
    """Import tangram-sc without its side effects: it raises the root logger and filters warnings."""
    root = logging.getLogger()
    level = root.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            root.setLevel(level)
