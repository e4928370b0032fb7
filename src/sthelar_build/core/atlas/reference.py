"""The cells that an atlas is represented by, on the genes that it shares with a panel."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from sthelar_build.core.atlas.genes import GeneMatch
from sthelar_build.core.atlas.scale import Scale
from sthelar_build.core.normalise import group_sums


@dataclass(frozen=True, eq=False)
class Reference:
    """A sample of an atlas."""

    labels: list[str]
    """Fine labels, sorted."""
    counts: sp.csr_matrix
    """(cells, shared genes): expression of the sampled cells, linear, float32."""
    codes: NDArray[np.integer]
    """(cells,): number of the label of every sampled cell."""
    cells_per_label: NDArray[np.int64]
    """Cells of the whole atlas with each label."""
    genes: GeneMatch
    """Which genes these are."""
    scale: Scale
    """What the matrix of the atlas holds."""
    source: str
    """Where in the file that matrix is, as anndata writes it."""

    @property
    def gene_columns(self) -> NDArray[np.intp]:
        """Column of every shared gene in the panel."""
        return self.genes.panel_columns

    @property
    def cells_used(self) -> NDArray[np.int64]:
        """(labels,): sampled cells of each label."""
        return np.bincount(self.codes, minlength=len(self.labels))

    def expressing(self) -> NDArray[np.bool_]:
        """Return which labels have any expression of a shared gene."""
        sums = group_sums(self.counts, self.codes, len(self.labels))
        return np.asarray(sums.sum(axis=1) > 0)

    def of_labels(self, kept: NDArray[np.bool_]) -> Reference:
        """Return the sample without the cells of the other labels."""
        rows = kept[self.codes]
        number = np.cumsum(kept) - 1
        return replace(
            self,
            labels=[label for label, keep in zip(self.labels, kept, strict=True) if keep],
            counts=self.counts[rows],
            codes=number[self.codes[rows]],
            cells_per_label=self.cells_per_label[kept],
        )

    def profiles(
        self, groups: NDArray[np.integer] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return the profile of every group of cells, and the number of each group's label.

        ``groups`` numbers the group of every sampled cell, from 0 and without a hole; every group lies in one label, and
        without ``groups`` every label is one. A profile is the summed expression as shares that sum to 1. Groups
        without expression are left out.
        """
        groups = self.codes if groups is None else groups
        n_groups = int(groups.max()) + 1
        sums = group_sums(self.counts, groups, n_groups)
        labels = np.zeros(n_groups, dtype=np.intp)
        labels[groups] = self.codes
        totals = sums.sum(axis=1)
        seen = totals > 0
        return sums[seen] / totals[seen, None], labels[seen]
