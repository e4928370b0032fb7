"""Pseudo-Visium spots: a fixed lattice in Xenium micrometres, the spot of every transcript, and what a spot counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

NONE = -1
"""The number of no spot."""

_HEX_PITCH = np.sqrt(3) / 2
"""Rows of a hexagonal lattice lie so far apart, in spacings."""
_TOP_GENES = (50, 100, 200, 500)
_ROUNDING_UM = 1e-9

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class SpotLattice:
    """Where spots lie: the same for every slide, as it starts at the origin of the Xenium frame, not at the data."""

    spot_layout: Literal["square", "hex"]
    """Squares in rows and columns, or discs in rows of which every second is shifted by half a spacing."""
    spot_um: float
    """Side of a square, or diameter of a disc."""
    spot_spacing_um: float
    """Between the centres of neighbours; at least ``spot_um``."""

    @property
    def row_pitch_um(self) -> float:
        """Distance between rows."""
        return self.spot_spacing_um * (_HEX_PITCH if self.spot_layout == "hex" else 1.0)

    def shape_over(self, width_um: float, height_um: float) -> tuple[int, int]:
        """Return the rows and columns that reach over a region from the origin."""
        rows, columns = height_um / self.row_pitch_um, width_um / self.spot_spacing_um
        return int(rows) + 1, int(columns) + 1

    def centres_um(self, rows: ArrayLike, columns: ArrayLike) -> Floats:
        """Return the centres (n, 2), x first, of spots of these rows and columns."""
        row, column = np.asarray(rows), np.asarray(columns)
        x = (column + 0.5 + self._shift(row)) * self.spot_spacing_um
        return np.stack([x, (row + 0.5) * self.row_pitch_um], axis=-1).astype(np.float64)

    def numbers(self, points_um: Floats, shape: tuple[int, int]) -> Integers:
        """Return the number of the spot that each point lies in: row * columns + column.

        Parameters
        ----------
        points_um
            (n, 2), x first.
        shape
            Rows and columns of the lattice.

        Returns
        -------
        (n,); -1 for points between the spots or beyond the lattice. A point on the border of two squares belongs to
        the right or lower one, on that of two discs to the upper one.
        """
        found = np.full(len(points_um), NONE, dtype=np.int64)
        nearest = np.floor(points_um[:, 1] / self.row_pitch_um).astype(np.int64)
        # A disc is wider than its row is high: it reaches into the rows above and below.
        for offset in (0,) if self.spot_layout == "square" else (1, 0, -1):
            row = nearest + offset
            column = np.floor(points_um[:, 0] / self.spot_spacing_um - self._shift(row))
            column = column.astype(np.int64)
            on_lattice = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
            inside = on_lattice & self._covers(points_um - self.centres_um(row, column))
            found[inside] = (row * shape[1] + column)[inside]
        return found

    def array_places(self, rows: Integers, columns: Integers) -> tuple[Integers, Integers]:
        """Return ``array_row`` and ``array_col``: as in Visium, columns of a hexagonal lattice count by two."""
        return rows, columns if self.spot_layout == "square" else 2 * columns + rows % 2

    def _shift(self, row: NDArray[np.integer]) -> Floats:
        return np.where(row % 2, 0.5, 0.0) if self.spot_layout == "hex" else np.zeros(row.shape)

    def _covers(self, from_centre_um: Floats) -> NDArray[np.bool_]:
        half = self.spot_um / 2 + _ROUNDING_UM
        if self.spot_layout == "hex":
            return np.asarray((from_centre_um**2).sum(axis=1) <= half**2)
        return np.asarray((np.abs(from_centre_um) <= half).all(axis=1))


def barcodes(rows: Integers, columns: Integers, shape: tuple[int, int]) -> list[str]:
    """Return ``{row}x{column}`` of every spot, three digits each or more, all of one length.

    >>> barcodes(np.array([7]), np.array([12]), (10, 2000))
    ['0007x0012']
    """
    digits = max(3, len(str(max(shape) - 1)))
    return [
        f"{row:0{digits}d}x{column:0{digits}d}" for row, column in zip(rows, columns, strict=True)
    ]


def spot_quality(counts: sparse.csr_matrix) -> pd.DataFrame:
    """Return what scanpy's ``calculate_qc_metrics`` says of every row of a matrix of counts.

    ``n_genes_by_counts``, ``total_counts``, both as log1p, and ``pct_counts_in_top_{50,100,200,500}_genes``: the share
    of the counts, in percent, that its most frequent genes hold; 100 where there are fewer genes, 0 for empty rows.
    """
    total = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    genes = np.diff(counts.indptr)
    table = pd.DataFrame(
        {
            "n_genes_by_counts": genes.astype(np.int32),
            "log1p_n_genes_by_counts": np.log1p(genes),
            "total_counts": total,
            "log1p_total_counts": np.log1p(total),
        }
    )
    tops = np.array([_top_shares(counts.data[a:b]) for a, b in _row_slices(counts)])
    for number, n in enumerate(_TOP_GENES):
        table[f"pct_counts_in_top_{n}_genes"] = tops.reshape(-1, len(_TOP_GENES))[:, number]
    return table


def _row_slices(counts: sparse.csr_matrix) -> list[tuple[int, int]]:
    return list(zip(counts.indptr[:-1].tolist(), counts.indptr[1:].tolist(), strict=True))


def _top_shares(values: NDArray[np.int32]) -> list[float]:
    sums = np.cumsum(np.sort(values)[::-1], dtype=np.float64)
    return [100 * sums[min(n, len(sums)) - 1] / sums[-1] if len(sums) else 0.0 for n in _TOP_GENES]
