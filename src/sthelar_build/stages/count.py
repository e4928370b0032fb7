"""Count transcripts per nucleus and per cell."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.counting import Assigner, ObjectCounts, Tally
from sthelar_build.errors import InputError
from sthelar_build.io.atomic import published_together
from sthelar_build.io.counts import write_h5ad
from sthelar_build.io.memory import give_back
from sthelar_build.io.progress import progress
from sthelar_build.io.provenance import provenance
from sthelar_build.io.records import read_record
from sthelar_build.io.tables import geometry_batches, read_table
from sthelar_build.io.transcripts import count_batches, transcript_batches
from sthelar_build.io.workers import ahead
from sthelar_build.options import InFile, OutFile, as_json
from sthelar_build.schema import tables
from sthelar_build.settings.count import CountSettings

logger = logging.getLogger(__name__)

_COLUMNS = ["cell_id", "overlaps_nucleus", "feature_name", "category", "x_um", "y_um", "qv"]
_PLACE = ["cell_id", "x_um", "y_um", "area_um2"]


def run(
    transcripts: InFile,
    nuclei: InFile,
    cells: InFile,
    bundle: InFile,
    counts_nuclei: OutFile,
    counts_cells: OutFile,
    settings: Annotated[CountSettings, as_json(CountSettings)],
) -> None:
    """Count transcripts per nucleus and per cell."""
    genes = pd.DataFrame(read_record(bundle, ("genes",))["genes"], columns=["name", "id"])
    cell_table = read_table(cells, tables.CELLS, _PLACE)
    nucleus_table = read_table(nuclei, tables.NUCLEI, ["nucleus_id", *_PLACE])
    nucleus_table["geometry"] = _contested_outlines(nuclei, nucleus_table["cell_id"])
    controls = _control_categories(transcripts)
    _check_owners(nuclei, nucleus_table, cell_table)
    in_nuclei = ObjectCounts(len(nucleus_table), len(genes), len(controls))
    in_cells = ObjectCounts(len(cell_table), len(genes), len(controls))
    assign = Assigner(genes, controls, cell_table, nucleus_table, settings.min_qv)
    batches = ahead(transcript_batches(transcripts, _COLUMNS))
    for batch in progress(batches, "batches", count_batches(transcripts)):
        assigned = assign(batch)
        in_cells.add(assigned.cell_rows, assigned)
        in_nuclei.add(assigned.nucleus_rows, assigned)
    _log(assign.tally, settings.min_qv)
    inputs = {"transcripts": transcripts, "nuclei": nuclei, "cells": cells, "bundle": bundle}
    source = provenance("count", settings, inputs)
    nucleus_names = nucleus_table["nucleus_id"].astype(str).to_numpy()
    with published_together(counts_nuclei, counts_cells) as drafts:
        obs = nucleus_table.drop(columns="geometry").set_axis(nucleus_names)
        write_h5ad(drafts[0], in_nuclei.table(obs, genes, controls), source)
        obs = cell_table.set_axis(cell_table["cell_id"].to_numpy())
        write_h5ad(drafts[1], in_cells.table(obs, genes, controls), source)


def _contested_outlines(path: Path, owners: pd.Series) -> NDArray[np.object_]:
    """Return the outlines of nuclei whose cell has several; None for the others, whose outline decides nothing."""
    contested = owners.duplicated(keep=False).to_numpy()
    outlines = np.full(len(owners), None, dtype=object)
    start = 0
    for batch in geometry_batches(path):
        own = contested[start : start + len(batch)]
        outlines[start : start + len(batch)][own] = batch[own]
        start += len(batch)
    give_back()
    return outlines


def _check_owners(path: Path, nuclei: pd.DataFrame, cells: pd.DataFrame) -> None:
    strangers = nuclei.loc[~nuclei["cell_id"].isin(cells["cell_id"]), "cell_id"]
    if len(strangers):
        raise InputError(
            f"{path}: expected nuclei of the {len(cells)} cells, found {len(strangers)} of others, such as "
            f"{strangers.iloc[0]}; delete both and ingest the bundle again"
        )


def _log(tally: Tally, min_qv: float) -> None:
    kept = "%s: kept %d of %d: the others %s"
    logger.info(kept, "quality", tally.good, tally.all, f"have qv < {min_qv:g}")
    logger.info(kept, "genes", tally.genes, tally.good, "are controls, or of no gene of the panel")
    logger.info(kept, "cells", tally.in_cells, tally.genes, "lie in no cell")
    logger.info(kept, "nuclei", tally.in_nuclei, tally.in_cells, "lie outside nuclei")
    logger.info(
        "nuclear, but in a nucleus that the bundle does not show: %d", tally.without_outline
    )


def _control_categories(path: Path) -> list[str]:
    """Return the kinds of control among the transcripts, sorted."""
    found: set[str] = set()
    for batch in transcript_batches(path, ["category"]):
        found.update(batch["category"].unique().to_pylist())
    return sorted(found - {tables.GENE})
