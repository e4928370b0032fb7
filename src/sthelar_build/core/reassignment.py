"""Transcripts to cells and nuclei, by where they lie."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sthelar_build.core.assignment import NONE
from sthelar_build.core.point_owners import PointOwners
from sthelar_build.core.polygons import Geometries
from sthelar_build.schema.tables import TRANSCRIPTS


class Reassignment:
    """Gives transcripts to other cells than those of the bundle, batch by batch.

    A transcript in a nucleus is of the cell of this nucleus; any other is of the cell whose outline holds it. Where nuclei, or
    outlines, overlap or share a border, the smaller one holds the point.

    Parameters
    ----------
    cell_ids
        (n,) text.
    nuclei
        (n,) outline of the nucleus of each cell, in um.
    cells
        (n,) outline of each cell, in um.
    """

    def __init__(
        self, cell_ids: NDArray[np.object_], nuclei: Geometries, cells: Geometries
    ) -> None:
        self._names = pa.array(cell_ids, pa.string())
        self._nuclei, self._cells = PointOwners(nuclei), PointOwners(cells)
        self.n_in_cells = self.n_in_nuclei = self.n_moved = 0
        """Transcripts so far: in cells, in nuclei, and whose place (nucleus, cell or neither) is another than the bundle's."""

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Return a batch of ``schema.tables.TRANSCRIPTS`` with new ``cell_id`` and ``overlaps_nucleus``."""
        points_um = np.column_stack([batch["x_um"].to_numpy(), batch["y_um"].to_numpy()])
        rows = self._nuclei(points_um)
        nuclear = rows != NONE
        rows[~nuclear] = self._cells(points_um[~nuclear])
        in_cell = rows != NONE
        self._count(batch, in_cell, nuclear)
        cell_ids = self._names.take(pa.array(rows, mask=~in_cell))
        columns = {"cell_id": cell_ids, "overlaps_nucleus": pa.array(nuclear)}
        return pa.table(
            {name: columns.get(name, batch[name]) for name in TRANSCRIPTS.names}, schema=TRANSCRIPTS
        )

    def _count(
        self, batch: pa.Table, in_cell: NDArray[np.bool_], nuclear: NDArray[np.bool_]
    ) -> None:
        was_in_cell = batch["cell_id"].is_valid().to_numpy()
        was_nuclear = batch["overlaps_nucleus"].to_numpy()
        self.n_in_cells += int(in_cell.sum())
        self.n_in_nuclei += int(nuclear.sum())
        self.n_moved += int(((was_in_cell != in_cell) | (was_nuclear != nuclear)).sum())
