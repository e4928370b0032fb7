"""Decide a class for every cluster and cell, with the evidence written down."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import pandas as pd
import scipy.sparse as sp
from anndata import AnnData

from sthelar_build.config import RefineSettings
from sthelar_build.core.clusters import (
    ClusteredCells,
    Clustering,
    leiden_column,
    leiden_columns,
)
from sthelar_build.core.slide_labels import Case, LabelRule, SlideLabels, label_slide
from sthelar_build.core.voting import as_tumour, of_brain_tumour, types_on_slide
from sthelar_build.core.wording import tally
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.atomic import published
from sthelar_build.io.counts import read_h5ad
from sthelar_build.io.curation import read_curation
from sthelar_build.io.label_map import read_label_map, resolve_labels
from sthelar_build.io.pictures.annotation import draw_pictures
from sthelar_build.io.provenance import provenance
from sthelar_build.io.scores import read_scores
from sthelar_build.io.tables import read_table, write_table
from sthelar_build.options import InFile, MaybeInFile, OutFile, Word, as_json
from sthelar_build.schema.tables import CELLS, EVIDENCE, LABELS

logger = logging.getLogger(__name__)


def run(
    cells: InFile,
    counts_cells: InFile,
    tangram_cells: InFile,
    tangram_nuclei: InFile,
    clusters_cells: InFile,
    clusters_nuclei: InFile,
    clusters_combined: InFile,
    tissue: Word,
    condition: Word,
    labels: OutFile,
    evidence: OutFile,
    pictures: OutFile,
    settings: Annotated[RefineSettings, as_json(RefineSettings)],
    label_map: MaybeInFile = None,
    curation: MaybeInFile = None,
) -> None:
    """Decide per cluster and cell: Tangram and markers agree, or the tissue's own genes win, or Other."""
    named = read_label_map(label_map)
    cell_scores = read_scores(tangram_cells)
    entries = resolve_labels(cell_scores.labels, named, tangram_cells)
    if of_brain_tumour(tissue, condition):
        logger.info("brain tumour: astrocytic labels of the reference are read as Glioblastoma")
        entries = {label: as_tumour(entry) for label, entry in entries.items()}
    every_cell = read_table(cells, CELLS, ["cell_id", "x_um", "y_um"])
    clustered = read_h5ad(clusters_cells)
    column = _column(clusters_cells, clustered.obs.columns, settings.resolution)
    clustering = Clustering.of(clustered.obs, column)
    decisions = read_curation(curation, clustering.names, set(every_cell["cell_id"]), named)
    nuclei, combined = read_h5ad(clusters_nuclei), read_h5ad(clusters_combined)

    case = Case(
        cells=_counted(clusters_cells, clustering, read_h5ad(counts_cells)),
        nuclei=Clustering.of(nuclei.obs, column),
        nucleus_ids=pd.Index(nuclei.obs["nucleus_id"]),
        combined=Clustering.of(combined.obs, column),
        cell_scores=cell_scores,
        nucleus_scores=read_scores(tangram_nuclei),
        entries=entries,
        tissue=tissue,
        condition=condition,
    )
    rule = settings.part(LabelRule)
    decided = label_slide(case, rule, every_cell["cell_id"].astype(str), decisions)
    _log(decided, tissue, condition)

    inputs = {
        "cells": cells,
        "counts_cells": counts_cells,
        "tangram_cells": tangram_cells,
        "tangram_nuclei": tangram_nuclei,
        "clusters_cells": clusters_cells,
        "clusters_nuclei": clusters_nuclei,
        "clusters_combined": clusters_combined,
        "label_map": label_map,
        "curation": curation,
    }
    source = provenance("refine", settings, inputs)
    write_table(labels, decided.labels, LABELS, source, {"tissue": tissue, "condition": condition})
    write_table(evidence, decided.evidence, EVIDENCE, source, {"clustering": column})
    with published(pictures) as draft:
        draft.mkdir()
        genes, logged = case.cells.genes, case.cells.logged
        draw_pictures(draft, decided.labels, every_cell, clustered, column, genes, logged)


def _column(path: Path, columns: Iterable[str], resolution: float | None) -> str:
    """Return the column of the clusters that are decided on."""
    found = leiden_columns(columns)
    wanted = leiden_column(resolution) if resolution else (found or ["leiden_"])[-1]
    if wanted not in found:
        raise ConfigError(
            f"{path}: expected the clustering {wanted}, found {', '.join(found) or 'none'}; "
            "set refine.resolution to one of cluster.resolutions"
        )
    return wanted


def _counted(path: Path, clustering: Clustering, counts: AnnData) -> ClusteredCells:
    """Return the counts of the clustered cells, in their order."""
    rows = pd.Index(counts.obs["cell_id"].astype(str)).get_indexer(clustering.cell_ids)
    if (rows < 0).any():
        raise InputError(
            f"{path}: expected the cells of the count table, found {(rows < 0).sum()} others; "
            "make the clusters again"
        )
    genes = [str(gene) for gene in counts.var_names]
    return ClusteredCells(clustering, sp.csr_matrix(counts.X)[rows], genes)


def _log(decided: SlideLabels, tissue: str, condition: str) -> None:
    logger.info(
        "markers: %d of %d types have at least three genes on the panel; classes without any: %s",
        len(decided.markers.types),
        len(types_on_slide(tissue, condition)),
        ", ".join(decided.markers.unscorable) or "none",
    )
    logger.info("clusters: %s", tally(decided.evidence["decided_by"]))
    logger.info("cells: %s", tally(decided.labels["decided_by"]))
    logger.info("classes: %s", tally(decided.labels["final_label"]))
