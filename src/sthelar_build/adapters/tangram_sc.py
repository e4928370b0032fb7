"""The package tangram-sc: the yardstick of our engine, behind the same arguments."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from sthelar_build.core.mapping.descent import Schedule
from sthelar_build.core.mapping.objective import Floats, Problem, Terms, Weights


def place_labels_with_tangram_sc(
    problem: Problem, start: Floats, schedule: Schedule
) -> tuple[Floats, list[Terms]]:
    """Return the placement that tangram-sc's own optimiser comes to from the same logits, and the terms.

    It takes every step (it knows no tolerance), holds counts and prediction as dense matrices, and says the
    terms before every step, not after the last.
    """
    import torch

    mapper = mapper_of(problem)
    mapper.M = torch.tensor(start.T.copy(), dtype=torch.float32, requires_grad=True)
    placement, said = mapper.train(
        num_epochs=schedule.epochs, learning_rate=schedule.learning_rate, print_each=None
    )
    keys = ("main_loss", "vg_reg", "kl_reg", "entropy_reg")
    spoken = np.nan_to_num(np.array([said[key] for key in keys], dtype=np.float64)).T
    return np.ascontiguousarray(placement.T), [_terms(row, problem.weights) for row in spoken]


def mapper_of(problem: Problem) -> Any:
    """Return tangram-sc's Mapper for a problem."""
    with _contained():
        from tangram.mapping_optimizer import Mapper

    weights = problem.weights
    # random_state: tangram-sc takes 0 for "no seed"; its start is replaced by ours anyway.
    return Mapper(
        S=problem.profiles,
        G=problem.counts.toarray(),
        d=problem.cell_density,
        d_source=problem.label_density,
        lambda_d=weights.density,
        lambda_g1=weights.genes,
        lambda_g2=weights.cells,
        lambda_r=weights.entropy,
        random_state=None,
    )


def _terms(spoken: np.ndarray, weights: Weights) -> Terms:
    """Return the terms from what tangram-sc says: its sum is rounded to four digits, so it is made again."""
    genes, cells, divergence, negative_entropy = spoken.tolist()
    total = weights.density * divergence - weights.entropy * negative_entropy
    total -= weights.genes * genes + weights.cells * cells
    return Terms(total, genes, cells, divergence, -negative_entropy)


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
