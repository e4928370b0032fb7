"""Tangram's objective in clusters mode, on sparse counts.

The objective is that of Tangram (Biancalani et al. 2021, doi 10.1038/s41592-021-01264-7) as tangram-sc
1.0.4 has it with ``mode="clusters"``: place labels on cells so that every gene's predicted pattern over
the cells points where the measured one does, and the RNA placed on every cell follows its counts.
With P the placement (cells x labels, columns sum to 1), S the profiles (labels x genes), G the counts
(cells x genes), d the density of the cells and w that of the labels, it minimises

    KL(d || P w) - mean over genes g of cos(P S[:, g], G[:, g])

The prediction P S is never formed: its inner products with G need only the sparse product G' P, and
its norms only the small matrix P' P. Time and memory thus grow with the molecules and with
cells x labels, not with cells x genes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_ADAM_BETAS = (0.9, 0.999)
_ADAM_EPSILON = 1e-8


@dataclass(frozen=True)
class Problem:
    """What is mapped onto what. Genes without a count on either side are left out by the caller."""

    profiles: NDArray[np.float64]
    """(labels, genes): summed or mean expression of every label."""
    counts: sp.csr_matrix
    """(cells, genes): raw counts."""
    cell_density: NDArray[np.float64]
    """(cells,): share of the RNA on every cell; sums to 1."""
    label_density: NDArray[np.float64]
    """(labels,): share of every label; sums to 1."""
    density_weight: float = 1.0
    """Weight of the density term against the gene term (Tangram's lambda_d, with lambda_g1 = 1)."""


def place_labels(
    problem: Problem, start: Floats, epochs: int, learning_rate: float = 0.1
) -> Floats:
    """Return the placement P after ``epochs`` steps of Adam from the logits ``start`` (cells, labels).

    Columns sum to 1. ``start`` is not modified. The steps are those of ``torch.optim.Adam`` with its
    default momenta, so the same start gives tangram-sc's result up to rounding.
    """
    descent = _Descent(problem)
    logits = np.array(start, dtype=np.float32)
    mean, variance = np.zeros_like(logits), np.zeros_like(logits)
    for step in range(1, epochs + 1):
        placement = _softmax(logits)
        gradient = descent.logit_gradient(placement)
        _adam_step(logits, gradient, mean, variance, step, learning_rate)
    return _softmax(logits)


def loss(problem: Problem, placement: Floats) -> float:
    """Return the objective at a placement."""
    density = problem.cell_density
    inside = density > 0
    predicted = (placement @ problem.label_density)[inside]
    divergence = np.sum(density[inside] * np.log(density[inside] / predicted))
    return float(problem.density_weight * divergence - _Descent(problem).cosines(placement).mean())


class _Descent:
    """The fixed parts of the gradient."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.counts = sp.csr_matrix(problem.counts, dtype=np.float32)
        self.counts_by_gene = self.counts.T.tocsr()
        squares = self.counts.multiply(self.counts).sum(axis=0)
        self.count_norms = np.sqrt(np.asarray(squares, dtype=np.float64).ravel())
        self.labels_by_gene = np.ascontiguousarray(problem.profiles.T, dtype=np.float64)
        self.cell_density = problem.cell_density.astype(np.float32)
        self.label_density = problem.label_density.astype(np.float32)

    def cosines(self, placement: Floats) -> NDArray[np.float64]:
        """Return the cosine of predicted and measured pattern, per gene."""
        products, norms = self._products_and_norms(placement)
        return np.asarray(products / (norms * self.count_norms))

    def _products_and_norms(
        self, placement: Floats
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        profiles = self.labels_by_gene
        overlap = np.asarray(self.counts_by_gene @ placement, dtype=np.float64)
        gram = np.asarray(placement.T @ placement, dtype=np.float64)
        squares = np.einsum("gl,gl->g", profiles @ gram, profiles)
        return np.einsum("gl,gl->g", overlap, profiles), np.sqrt(squares)

    def placement_gradient(self, placement: Floats) -> Floats:
        """Return the derivative of the loss by every entry of the placement."""
        profiles, n_genes = self.labels_by_gene, len(self.labels_by_gene)
        products, norms = self._products_and_norms(placement)
        scale = 1.0 / (norms * self.count_norms * n_genes)
        pull = (profiles * scale[:, None]).astype(np.float32)
        shrink = profiles.T @ (profiles * (scale * products / norms**2)[:, None])
        gradient: Floats = placement @ shrink.astype(np.float32) - self.counts @ pull
        ratio = self.cell_density / (placement @ self.label_density)
        ratio *= np.float32(self.problem.density_weight)
        gradient -= np.multiply.outer(ratio, self.label_density)
        return gradient

    def logit_gradient(self, placement: Floats) -> Floats:
        """Return the derivative of the loss by every logit."""
        gradient = self.placement_gradient(placement)
        gradient -= np.einsum("cl,cl->l", placement, gradient)
        gradient *= placement
        return gradient


def _softmax(logits: Floats) -> Floats:
    weights: Floats = np.exp(logits - logits.max(axis=0))
    weights /= weights.sum(axis=0)
    return weights


def _adam_step(
    logits: Floats, gradient: Floats, mean: Floats, variance: Floats, step: int, rate: float
) -> None:
    first, second = _ADAM_BETAS
    mean *= np.float32(first)
    mean += np.float32(1 - first) * gradient
    variance *= np.float32(second)
    gradient *= gradient
    gradient *= np.float32(1 - second)
    variance += gradient
    spread = np.sqrt(variance)
    spread *= np.float32(1 / np.sqrt(1 - second**step))
    spread += np.float32(_ADAM_EPSILON)
    np.divide(mean, spread, out=spread)
    spread *= np.float32(rate / (1 - first**step))
    logits -= spread
