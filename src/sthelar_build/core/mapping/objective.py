"""Tangram's objective, without the predicted expression.

The objective is that of Tangram (Biancalani et al. 2021, doi 10.1038/s41592-021-01264-7) as tangram-sc 1.0.4
has it: place labels on cells so that every gene's predicted pattern over the cells points where the measured
one does. With M the logits (cells x labels), P = softmax of every column of M (columns sum to 1), S the
profiles (labels x genes), G the counts (cells x genes), d the density of the cells and w that of the labels,
it minimises, in the names that tangram-sc gives the weights,

    - lambda_g1 * mean over genes g of cos((P S)[:, g], G[:, g])
    - lambda_g2 * mean over cells i of cos((P S)[i], G[i])
    + lambda_d  * KL(d || P w)
    - lambda_r  * sum of P log P

P S is never formed. The cosines of the genes need only G'P and P'P; those of the cells only G S' (once) and
S S'. Time and memory thus grow with the molecules and with cells x labels, not with cells x genes.

This module holds what is small (labels x genes and less), in float64, for every engine. An engine holds what is
large, behind the protocol :class:`Placement`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
SMALLEST_NORM = 1e-8
"""Norms below are taken as this where one divides by them, as torch's cosine does."""
_BLOCK_ENTRIES = 1 << 22


@dataclass(frozen=True)
class Weights:
    """Weights of the terms; the defaults are those of tangram-sc in clusters mode."""

    genes: float = 1.0
    """lambda_g1."""
    cells: float = 0.0
    """lambda_g2."""
    density: float = 1.0
    """lambda_d."""
    entropy: float = 0.0
    """lambda_r."""


@dataclass(frozen=True, eq=False)
class Problem:
    """What is mapped onto what. Genes without a count on either side are left out by the caller."""

    profiles: Doubles
    """(labels, genes): summed or mean expression of every label."""
    counts: sp.csr_matrix
    """(cells, genes): raw counts; every cell has one."""
    cell_density: Doubles
    """(cells,): share of every cell of the RNA (or 1 / cells); sums to 1."""
    label_density: Doubles
    """(labels,): share of every label (``d_source``; 1 / labels is tangram-sc without one); sums to 1."""
    weights: Weights = field(default_factory=Weights)


@dataclass(frozen=True)
class Terms:
    """The objective, and its terms before they are weighted."""

    total: float
    genes: float
    """Mean cosine over genes; tangram-sc's main_loss."""
    cells: float
    """Mean cosine over cells; 0 where its weight is 0 (it is not computed)."""
    divergence: float
    """KL(d || P w), natural logarithm; 0 where its weight is 0."""
    entropy: float
    """Minus the sum of P log P; 0 where its weight is 0."""


@dataclass(frozen=True, eq=False)
class Overlaps:
    """What a placement has to do with the counts, and with itself."""

    counts: Doubles
    """(genes, labels): G'P."""
    gram: Doubles
    """(labels, labels): P'P."""
    entropy: Doubles
    """(labels,): minus the column sums of P log P; zeros where its weight is 0."""


@dataclass(frozen=True, eq=False)
class CellSums:
    """Sums over cells of what is computed cell by cell."""

    log_density: float
    """Sum of d log(P w)."""
    cosines: float
    """Sum of the cells' cosines."""
    slopes: Doubles
    """(labels,): column sums of P times the derivative of these two terms by P."""


@dataclass(frozen=True, eq=False)
class Slopes:
    """The derivative by P as far as it is small: by P it is ``P shrink - G pull`` and the cells' own terms."""

    pull: Doubles
    """(genes, labels)."""
    shrink: Doubles
    """(labels, labels)."""
    column_sums: Doubles
    """(labels,): column sums of P times the whole derivative, which the softmax takes off."""


class Placement(Protocol):
    """Logits of every label on every cell, wherever they are held."""

    def overlaps(self) -> Overlaps:
        """Return the sums that the genes' cosines need."""

    def cell_sums(self) -> CellSums:
        """Return the sums of the cells' own terms."""

    def step(self, slopes: Slopes, number: int, learning_rate: float, epsilon: float) -> None:
        """Take the ``number``-th step of Adam, from 1."""

    def shares(self) -> Floats:
        """Return P, float32 (cells, labels); the logits may be gone afterwards."""


class Objective:
    """The objective of a problem at whatever placement, and its slopes."""

    def __init__(self, problem: Problem) -> None:
        self.weights = problem.weights
        self.profiles = np.ascontiguousarray(problem.profiles.T, dtype=np.float64)
        self.count_norms = np.maximum(gene_norms(problem.counts), SMALLEST_NORM)
        inside = problem.cell_density[problem.cell_density > 0]
        self.self_information = float(np.sum(inside * np.log(inside)))
        self.n_cells = problem.counts.shape[0]

    def at(self, placement: Placement) -> tuple[Terms, Slopes]:
        """Return the terms and the slopes at a placement."""
        overlaps, cells = placement.overlaps(), placement.cell_sums()
        products = np.einsum("gl,gl->g", overlaps.counts, self.profiles)
        squares = np.einsum("gl,gl->g", self.profiles @ overlaps.gram, self.profiles)
        norms = np.maximum(np.sqrt(np.maximum(squares, 0)), SMALLEST_NORM)
        cosines = products / (norms * self.count_norms)
        return self._terms(cosines, overlaps, cells), self._slopes(cosines, norms, overlaps, cells)

    def _terms(self, cosines: Doubles, overlaps: Overlaps, cells: CellSums) -> Terms:
        weights = self.weights
        genes, of_cells = float(cosines.mean()), cells.cosines / self.n_cells
        divergence = self.self_information - cells.log_density if weights.density else 0.0
        entropy = float(overlaps.entropy.sum())
        total = weights.density * divergence + weights.entropy * entropy
        total -= weights.genes * genes + weights.cells * of_cells
        return Terms(total, genes, of_cells, divergence, entropy)

    def _slopes(
        self, cosines: Doubles, norms: Doubles, overlaps: Overlaps, cells: CellSums
    ) -> Slopes:
        weight = self.weights.genes / len(cosines)
        pull = self.profiles * (weight / (norms * self.count_norms))[:, None]
        shrink = self.profiles.T @ (self.profiles * (weight * cosines / norms**2)[:, None])
        sums = np.einsum("lm,lm->l", overlaps.gram, shrink) + cells.slopes
        sums -= np.einsum("gl,gl->l", overlaps.counts, pull)
        # The derivative of -P log P is -(log P + 1), and a column of P sums to 1.
        sums += self.weights.entropy * (overlaps.entropy - 1)
        return Slopes(pull, shrink, sums)


def gene_norms(counts: sp.csr_matrix) -> Doubles:
    """Return the Euclidean norm of every gene's counts over the cells."""
    squares = np.zeros(counts.shape[1])
    for first in range(0, counts.nnz, _BLOCK_ENTRIES):
        block = slice(first, first + _BLOCK_ENTRIES)
        values = counts.data[block].astype(np.float64) ** 2
        squares += np.bincount(counts.indices[block], weights=values, minlength=len(squares))
    return np.sqrt(squares)


def cell_similarity(counts: sp.csr_matrix, profiles: Doubles) -> Floats:
    """Return the inner product of every cell's counts and every profile, over the norm of the cell's counts."""
    squares = np.asarray(counts.multiply(counts).sum(axis=1), dtype=np.float64)
    similarity = np.asarray(counts @ profiles.T.astype(np.float32), dtype=np.float32)
    similarity /= np.maximum(np.sqrt(squares), SMALLEST_NORM).astype(np.float32)
    return similarity
