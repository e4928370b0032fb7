"""Transcripts to nuclei, and counts of (object, feature) pairs without a dense matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse

from sthelar_build.core.polygons import Geometries

NONE = -1
"""Row number of 'no object'."""

_MERGE_FROM_PAIRS = 2_000_000
_BAND_ROWS = 131_072
"""Rows that are merged at a time: a sum takes as much memory again as what is summed."""


class NucleiOfCells:
    """The nuclei of every cell, ready to place transcripts in them.

    Parameters
    ----------
    cell_rows
        (n_nuclei,) row of the cell that owns each nucleus.
    geometries
        (n_nuclei,) polygons and multipolygons, in the frame of the transcripts; only those of cells with several
        nuclei are looked at.
    n_cells
        Number of cells; some may own no nucleus, some several.
    """

    def __init__(
        self, cell_rows: NDArray[np.integer[Any]], geometries: Geometries, n_cells: int
    ) -> None:
        self._order = np.argsort(cell_rows, kind="stable")
        self._number = np.bincount(cell_rows, minlength=n_cells)
        self._start = np.cumsum(self._number) - self._number
        self._geometries = geometries

    def rows_of(
        self,
        cell_rows: NDArray[np.integer[Any]],
        in_nucleus: NDArray[np.bool_],
        points_xy: NDArray[np.floating[Any]],
    ) -> NDArray[np.int64]:
        """Return the nucleus of every transcript, as a row number; -1 for none.

        Parameters
        ----------
        cell_rows
            (t,) row of the owning cell; -1 where there is none.
        in_nucleus
            (t,) whether the instrument places the transcript in a nucleus of its cell.
        points_xy
            (t, 2) positions, in the frame of the nuclei.

        Notes
        -----
        The instrument decides whether a transcript is nuclear; positions only decide between
        several nuclei of one cell: the one that contains the point, else the nearest. Of several
        equally near, the first in the order of the nuclei. A nuclear transcript of a cell without
        a nucleus gets none.
        """
        rows = np.full(len(cell_rows), NONE, dtype=np.int64)
        nuclear = np.flatnonzero(in_nucleus & (cell_rows != NONE))
        number = self._number[cell_rows[nuclear]]
        single, several = nuclear[number == 1], nuclear[number > 1]
        rows[single] = self._order[self._start[cell_rows[single]]]
        if len(several):
            rows[several] = self._nearest(cell_rows[several], points_xy[several])
        return rows

    def _nearest(
        self, cell_rows: NDArray[np.integer[Any]], points_xy: NDArray[np.floating[Any]]
    ) -> NDArray[np.int64]:
        """Of the nuclei of its cell, the nearest to each point; inside is distance 0."""
        number = self._number[cell_rows]
        pair_start = np.cumsum(number) - number
        pair_point = np.repeat(np.arange(len(cell_rows)), number)
        within_cell = np.arange(len(pair_point)) - np.repeat(pair_start, number)
        candidate = self._order[np.repeat(self._start[cell_rows], number) + within_cell]
        distance = shapely.distance(
            self._geometries[candidate], shapely.points(points_xy)[pair_point]
        )
        best_first = np.lexsort((within_cell, distance, pair_point))
        nearest: NDArray[np.int64] = candidate[best_first[pair_start]]
        return nearest


class PairCounts:
    """Counts how often (row, column) pairs come, batch by batch, in memory of the distinct pairs."""

    def __init__(self, n_rows: int, n_columns: int) -> None:
        self._column_bits = max(n_columns - 1, 1).bit_length()
        self._bands = [
            sparse.csr_matrix((min(_BAND_ROWS, n_rows - start), n_columns), dtype=np.int32)
            for start in range(0, max(n_rows, 1), _BAND_ROWS)
        ]
        self._waiting: list[NDArray[np.int64]] = []
        self._n_waiting = 0

    def add(self, rows: NDArray[np.integer[Any]], columns: NDArray[np.integer[Any]]) -> None:
        """Count a batch of pairs; a pair with -1 on either side is left out."""
        kept = (rows != NONE) & (columns != NONE)
        pairs = rows[kept].astype(np.int64) << self._column_bits | columns[kept]
        self._waiting.append(pairs)
        self._n_waiting += len(pairs)
        n_merged = sum(band.nnz for band in self._bands)
        if self._n_waiting > max(n_merged // 4, _MERGE_FROM_PAIRS):
            self._merge()

    def matrix(self) -> sparse.csr_matrix:
        """Return the counts so far as CSR int32, indices sorted, without explicit zeros."""
        self._merge()
        return sparse.vstack(self._bands, format="csr")

    def _merge(self) -> None:
        """Add what waits. Waiting for a quarter of what is there keeps merges few and memory small."""
        if self._n_waiting:
            pairs = np.concatenate(self._waiting)
            self._waiting = []
            pairs.sort()
            first = (np.arange(len(self._bands) + 1) * _BAND_ROWS) << self._column_bits
            ends = np.searchsorted(pairs, first)
            for number, band in enumerate(self._bands):
                own = pairs[ends[number] : ends[number + 1]] - first[number]
                self._bands[number] = band + self._counted(own, band.shape)
        self._waiting, self._n_waiting = [], 0

    def _counted(self, pairs: NDArray[np.int64], shape: tuple[int, int]) -> sparse.csr_matrix:
        """Return how often each pair comes; sorted pairs are the rows of a CSR, one after the other."""
        if not len(pairs):
            return sparse.csr_matrix(shape, dtype=np.int32)
        first = np.flatnonzero(np.append(True, pairs[1:] != pairs[:-1]))
        number = np.diff(np.append(first, len(pairs))).astype(np.int32)
        distinct = pairs[first]
        per_row = np.bincount(distinct >> self._column_bits, minlength=shape[0])
        columns = (distinct & ((1 << self._column_bits) - 1)).astype(np.int32)
        starts = np.append(0, np.cumsum(per_row))
        return sparse.csr_matrix((number, columns, starts), shape=shape)
