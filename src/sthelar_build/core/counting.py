"""Counts of genes and controls, per cell and per nucleus, from batches of transcripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import scipy.sparse as sp
from anndata import AnnData
from numpy.typing import NDArray

from sthelar_build.core.assignment import NONE, NucleiOfCells, PairCounts
from sthelar_build.core.encoded_text import encoded, places
from sthelar_build.schema.tables import GENE


@dataclass(frozen=True)
class Assigned:
    """A batch of good transcripts, each as row and column numbers; -1 where it has none."""

    cell_rows: NDArray[np.integer[Any]]
    nucleus_rows: NDArray[np.integer[Any]]
    gene_columns: NDArray[np.integer[Any]]
    """Column among the genes; -1 for controls."""
    control_columns: NDArray[np.integer[Any]]
    """Column among the kinds of control; -1 for genes."""


@dataclass
class Tally:
    """How many transcripts every step keeps; from ``genes`` on, of genes only."""

    all: int = 0
    good: int = 0
    genes: int = 0
    in_cells: int = 0
    in_nuclei: int = 0
    without_outline: int = 0
    """In a nucleus, as the bundle says, of a cell for which it shows none."""


class Assigner:
    """Turns batches of ``schema.tables.TRANSCRIPTS`` into numbers, and keeps a tally.

    Parameters
    ----------
    genes
        ``name`` of every gene that is counted, once.
    controls
        Categories of the controls.
    cells
        ``cell_id`` of every cell.
    nuclei
        ``cell_id`` and ``geometry`` (um) of every nucleus, which may be None where its cell has no other; every owner
        is among the cells.
    min_qv
        Transcripts of lower quality are left out.
    """

    def __init__(
        self,
        genes: pd.DataFrame,
        controls: Sequence[str],
        cells: pd.DataFrame,
        nuclei: pd.DataFrame,
        min_qv: float,
    ) -> None:
        self._genes, self._controls = pd.Index(genes["name"]), pd.Index(controls)
        self._cells = pd.Index(cells["cell_id"])
        owners = self._cells.get_indexer(pd.Index(nuclei["cell_id"]))
        self._nuclei = NucleiOfCells(owners, nuclei["geometry"].to_numpy(), len(cells))
        self._min_qv = min_qv
        self.tally = Tally()

    def __call__(self, batch: pa.RecordBatch) -> Assigned:
        """Return the transcripts of the batch that are good enough; see ``Assigned``."""
        good = batch["qv"].to_numpy() >= np.float64(self._min_qv)
        cell_rows = places(encoded(batch["cell_id"]), self._cells)[good]
        category = encoded(batch["category"])
        gene_columns = places(encoded(batch["feature_name"]), self._genes)[good]
        is_gene = places(category, pd.Index([GENE]))[good] != NONE
        nuclear = batch["overlaps_nucleus"].to_numpy(zero_copy_only=False)[good]
        points_um = np.column_stack([batch[axis].to_numpy()[good] for axis in ("x_um", "y_um")])
        assigned = Assigned(
            cell_rows=cell_rows,
            nucleus_rows=self._nuclei.rows_of(cell_rows, nuclear, points_um),
            gene_columns=np.where(is_gene, gene_columns, np.int32(NONE)),
            control_columns=places(category, self._controls)[good],
        )
        self._count(batch.num_rows, nuclear, assigned)
        return assigned

    def _count(self, n: int, nuclear: NDArray[np.bool_], assigned: Assigned) -> None:
        is_gene = assigned.gene_columns != NONE
        in_cell = is_gene & (assigned.cell_rows != NONE)
        shown = assigned.nucleus_rows != NONE
        self.tally.all += n
        self.tally.good += len(is_gene)
        self.tally.genes += int(is_gene.sum())
        self.tally.in_cells += int(in_cell.sum())
        self.tally.in_nuclei += int((in_cell & shown).sum())
        self.tally.without_outline += int((in_cell & nuclear & ~shown).sum())


class ObjectCounts:
    """Counts of genes and of kinds of control, per nucleus or per cell, in sparse memory."""

    def __init__(self, n_objects: int, n_genes: int, n_controls: int) -> None:
        self._genes = PairCounts(n_objects, n_genes)
        self._controls = PairCounts(n_objects, n_controls)

    def add(self, rows: NDArray[np.integer[Any]], assigned: Assigned) -> None:
        """Count a batch; ``rows`` are those of the objects that own its transcripts."""
        self._genes.add(rows, assigned.gene_columns)
        self._controls.add(rows, assigned.control_columns)

    def table(self, obs: pd.DataFrame, genes: pd.DataFrame, controls: Sequence[str]) -> AnnData:
        """Return the counts so far, CSR float32, one row per row of ``obs``.

        ``obs`` (with ``x_um`` and ``y_um``) gains ``transcript_counts`` and ``{category}_counts``.
        """
        found = self._genes.matrix()
        values = found.data.astype(np.float32)
        counts = sp.csr_matrix((values, found.indices, found.indptr), shape=found.shape)
        by_control = self._controls.matrix().tocsc()
        obs = obs.assign(transcript_counts=np.asarray(counts.sum(axis=1), np.int64).ravel())
        for column, category in enumerate(controls):
            obs[f"{category}_counts"] = by_control[:, [column]].toarray().ravel()
        var = pd.DataFrame({"gene_id": genes["id"].to_numpy()}, index=genes["name"].to_numpy())
        return AnnData(counts, obs=obs, var=var, obsm={"spatial": obs[["x_um", "y_um"]].to_numpy()})
