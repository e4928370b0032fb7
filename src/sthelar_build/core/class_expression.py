"""What every class expresses: mean and share of its cells with a count, gene by gene; and the markers to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from sthelar_build.core.normalise import group_sums, log_normalise, row_blocks
from sthelar_build.schema.markers import marker_types

Floats = NDArray[np.float64]


@dataclass(eq=False)
class ClassExpression:
    """Expression by class, gathered from parts of a slide."""

    n_classes: int
    n_genes: int
    n_cells: NDArray[np.int64] = field(init=False)
    """(classes,)"""
    _sums: Floats = field(init=False)
    _counted: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Start with no cell."""
        self.n_cells = np.zeros(self.n_classes, dtype=np.int64)
        self._sums = np.zeros((self.n_classes, self.n_genes))
        self._counted = np.zeros((self.n_classes, self.n_genes))

    def add(self, counts: sp.csr_matrix, classes: NDArray[np.integer]) -> None:
        """Add cells: raw counts (cells, genes), and the number of the class of every cell; negative ones are left out."""
        for rows in row_blocks(counts.shape[0]):
            block = log_normalise(counts[rows])
            self._sums += group_sums(block, classes[rows], self.n_classes)
            block.data = (block.data > 0).astype(np.float32)
            self._counted += group_sums(block, classes[rows], self.n_classes)
        self.n_cells += np.bincount(classes[classes >= 0], minlength=self.n_classes)

    @property
    def means(self) -> Floats:
        """Mean log-normalised expression, (classes, genes); 0 for a class without a cell."""
        return np.asarray(self._sums / np.maximum(self.n_cells, 1)[:, None])

    @property
    def shares(self) -> Floats:
        """Share of the cells with a count, (classes, genes); 0 for a class without a cell."""
        return np.asarray(self._counted / np.maximum(self.n_cells, 1)[:, None])


def leading_markers(
    genes: Sequence[str], means: Floats, classes: Sequence[str], per_class: int
) -> list[tuple[str, str]]:
    """Return the markers to show of every class, as class and gene; each gene once.

    Parameters
    ----------
    genes
        Of the panel.
    means
        (classes, genes) mean expression.
    classes
        Names of the rows of ``means``.
    per_class
        Genes of every class: of its markers in the vocabulary that are on the panel, those whose mean leads that of
        the other classes most.
    """
    column = {gene: number for number, gene in enumerate(genes)}
    chosen: dict[str, str] = {}
    for row, name in enumerate(classes):
        known = {g for kind in marker_types() if kind.class_name == name for g in kind.genes}
        others = np.delete(means, row, axis=0).max(axis=0, initial=0)
        lead = means[row] - others
        rest = sorted(known.intersection(column).difference(chosen))
        best = sorted(rest, key=lambda gene: -lead[column[gene]])[:per_class]
        chosen |= dict.fromkeys(best, name)
    return [(name, gene) for gene, name in chosen.items()]


@dataclass(frozen=True)
class Dot:
    """One gene in one class."""

    mean: float
    """Mean log-normalised expression."""
    shade: float
    """The mean over the highest mean of the gene in any class."""
    share: float
    """Share of the cells with a count."""


@dataclass(frozen=True)
class DotPlot:
    """Markers by class."""

    genes: tuple[tuple[str, str], ...]
    """Class that is marked, and gene."""
    rows: tuple[tuple[str, int, tuple[Dot, ...]], ...]
    """Class, number of its cells, and a dot for every gene; classes without a cell have none."""


def dot_plot(
    found: ClassExpression, genes: Sequence[str], classes: Sequence[str], per_class: int
) -> DotPlot:
    """Return the dots of the markers that lead in each class that has cells."""
    present: list[int] = np.flatnonzero(found.n_cells).tolist()
    means, shares = found.means[present], found.shares[present]
    markers = leading_markers(genes, means, [classes[k] for k in present], per_class)
    columns = [list(genes).index(gene) for _, gene in markers]
    highest = np.maximum(means[:, columns].max(axis=0, initial=0), 1e-9)
    rows = tuple(
        (
            classes[k],
            int(found.n_cells[k]),
            _dots(means[row, columns], highest, shares[row, columns]),
        )
        for row, k in enumerate(present)
    )
    return DotPlot(tuple(markers), rows)


def _dots(means: Floats, highest: Floats, shares: Floats) -> tuple[Dot, ...]:
    shades = means / highest
    return tuple(map(Dot, means.tolist(), shades.tolist(), shares.tolist()))
