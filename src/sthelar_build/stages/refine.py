"""Decide a class for every cluster and cell, with the evidence written down."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from anndata import AnnData
from numpy.typing import NDArray

from sthelar_build.adapters.neighbours import nearest_rows
from sthelar_build.core.clusters import (
    ClusteredCells,
    Clustering,
    leiden_column,
    leiden_columns,
)
from sthelar_build.core.curation import Curated, curate
from sthelar_build.core.decision_targets import Places
from sthelar_build.core.purity import Near
from sthelar_build.core.slide_labels import Case, LabelRule, SlideLabels, label_slide
from sthelar_build.core.transfer import agreement_by_class
from sthelar_build.core.voting import as_tumour, of_brain_tumour, types_on_slide
from sthelar_build.core.wording import tally
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.atomic import published_together
from sthelar_build.io.counts import read_h5ad
from sthelar_build.io.curation import read_curation
from sthelar_build.io.curation_targets import files_of_table
from sthelar_build.io.label_map import read_label_map, resolve_labels
from sthelar_build.io.memory import give_back
from sthelar_build.io.pictures.annotation import draw_pictures
from sthelar_build.io.provenance import provenance
from sthelar_build.io.scores import read_scores, read_transfer
from sthelar_build.io.tables import read_table, write_table
from sthelar_build.io.transform import read_transform
from sthelar_build.options import InFile, MaybeInFile, OutFile, Word, as_json
from sthelar_build.schema.labels import OTHER
from sthelar_build.schema.tables import CELLS, EVIDENCE, LABELS, OVERRIDES
from sthelar_build.schema.vocabulary import FineLabel
from sthelar_build.settings.refine import RefineSettings

logger = logging.getLogger(__name__)

_NEIGHBOURS = 10
_MOST_SAMPLED = 200_000
_EXACT_BELOW = 50_000


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
    overrides: OutFile,
    pictures: OutFile,
    settings: Annotated[RefineSettings, as_json(RefineSettings)],
    label_map: MaybeInFile = None,
    curation: MaybeInFile = None,
    transform: MaybeInFile = None,
) -> None:
    """Decide per cluster and cell: Tangram and markers agree, or the tissue's own genes win, or Other.

    What people decided comes last; regions that they drew on the H&E need its transform.
    """
    named = read_label_map(label_map)
    decisions = read_curation(curation, named)
    cell_scores = read_scores(tangram_cells)
    entries = resolve_labels(cell_scores.labels, named, tangram_cells)
    if of_brain_tumour(tissue, condition):
        logger.info("brain tumour: astrocytic labels of the reference are read as Glioblastoma")
        entries = {label: as_tumour(entry) for label, entry in entries.items()}
    every_cell = read_table(cells, CELLS, ["cell_id", "x_um", "y_um"])
    clustered = read_h5ad(clusters_cells)
    column = _column(clusters_cells, clustered.obs.columns, settings.resolution)
    clustering = Clustering.of(clustered.obs, column)
    nuclei, nucleus_ids = _of_nuclei(clusters_nuclei, column)

    case = Case(
        cells=_counted(clusters_cells, clustering, read_h5ad(counts_cells)),
        nuclei=nuclei,
        nucleus_ids=nucleus_ids,
        combined=Clustering.of(read_h5ad(clusters_combined).obs, column),
        near=_near(clustered.obsm["X_pca"]),
        cell_scores=cell_scores,
        nucleus_scores=read_scores(tangram_nuclei),
        entries=entries,
        tissue=tissue,
        condition=condition,
    )
    give_back()
    rule = settings.part(LabelRule)
    decided = label_slide(case, rule, every_cell["cell_id"].astype(str))
    _log(decided, tissue, condition)
    placed = read_transform(transform).um_to_he if transform else None
    places = Places(every_cell[["x_um", "y_um"]].to_numpy(), placed)
    curated = curate(decided.labels, decided.evidence, decisions, places, condition)
    _log_curation(curated)

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
        "transform": transform,
        **_decision_files(curation),
    }
    source = provenance("refine", settings, inputs)
    second = _second_opinion(tangram_cells, entries, curated.labels)
    facts = {"clustering": column, "second_opinion": second}
    about = {"tissue": tissue, "condition": condition}
    with published_together(labels, evidence, overrides, pictures) as drafts:
        write_table(drafts[0], curated.labels, LABELS, source, about)
        write_table(drafts[1], curated.evidence, EVIDENCE, source, facts)
        write_table(drafts[2], curated.overrides, OVERRIDES, source)
        drafts[3].mkdir()
        names = np.asarray(decided.clustering.names, dtype=object)
        clustered.obs[column] = names[decided.clustering.clusters]
        draw_pictures(drafts[3], curated.labels, every_cell, clustered, column, case.cells)


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


def _of_nuclei(path: Path, column: str) -> tuple[Clustering, pd.Index]:
    """Return the clustering of the nuclei, and their ids; what else the table holds is not kept."""
    obs = read_h5ad(path).obs
    return Clustering.of(obs, column), pd.Index(obs["nucleus_id"])


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


def _near(components: NDArray[np.float32]) -> Near:
    """Return the nearest neighbours of the cells, among at most so many of them as tell how pure clusters are."""
    step = max(1, -(-len(components) // _MOST_SAMPLED))
    rows = np.arange(0, len(components), step)
    sample = np.ascontiguousarray(components[rows], dtype=np.float32)
    exact = len(rows) < _EXACT_BELOW
    return Near(rows, nearest_rows(sample, _NEIGHBOURS, 0, exact=exact))


def _second_opinion(
    tangram: Path, entries: Mapping[str, FineLabel], labels: pd.DataFrame
) -> list[dict[str, Any]]:
    """Compare the classes of the cells with those of the label transfer, if there is one, class by class."""
    transfer = read_transfer(tangram)
    if transfer is None:
        return []
    classes = {label: entry.class_name for label, entry in entries.items()}
    given = labels.set_index("cell_id")["final_label"].reindex(read_scores(tangram).ids)
    given = given.where(given != OTHER, None)
    return [
        asdict(found) for found in agreement_by_class(given.to_numpy(), transfer.classes(classes))
    ]


def _decision_files(curation: Path | None) -> dict[str, Path]:
    """Return the files that the table of decisions names, for the provenance."""
    files = files_of_table(curation).files if curation else ()
    return {f"curation/{path.name}": path for path in files}


def _log_curation(curated: Curated) -> None:
    for line, rows in curated.overrides.groupby("line"):
        first, n_cells = rows.iloc[0], rows["n_cells"].sum()
        logger.info(
            "curation, line %d: %s: %d cells are now %s (%d kept so by the lines after it), by %s",
            *(
                line,
                first["target"],
                n_cells,
                first["to_label"],
                rows["n_kept"].sum(),
                first["who"],
            ),
        )
    for note in curated.notes:
        logger.warning("%s", note)


def _log(decided: SlideLabels, tissue: str, condition: str) -> None:
    logger.info(
        "markers: %d of %d types have at least three genes on the panel; classes without any: %s",
        len(decided.markers.types),
        len(types_on_slide(tissue, condition)),
        ", ".join(decided.markers.unscorable) or "none",
    )
    taken_apart = decided.evidence["parent"].dropna()
    logger.info(
        "clusters: %d of %d were taken apart into %d parts",
        *(taken_apart.nunique(), len(decided.evidence) - len(taken_apart) + taken_apart.nunique()),
        len(taken_apart),
    )
    logger.info("clusters: %s", tally(decided.evidence["decided_by"]))
    logger.info("cells: %s", tally(decided.labels["decided_by"]))
    logger.info("classes: %s", tally(decided.labels["final_label"]))
