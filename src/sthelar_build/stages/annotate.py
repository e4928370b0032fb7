"""Score every nucleus or cell against the reference with Tangram."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import anndata
import numpy as np
import scipy.sparse as sp
import typer
from numpy.typing import NDArray

from sthelar_build.adapters.tangram import MappingRecipe, label_shares
from sthelar_build.config import AnnotateSettings
from sthelar_build.core.normalise import row_sums
from sthelar_build.core.scores import Scores
from sthelar_build.errors import InputError
from sthelar_build.io.counts import read_h5ad
from sthelar_build.io.label_map import read_label_map, resolve_labels
from sthelar_build.io.provenance import provenance
from sthelar_build.io.reference import Reference, read_reference
from sthelar_build.io.scores import write_scores
from sthelar_build.options import InFile, MaybeInFile, OutFile, Threads, Word, as_json

logger = logging.getLogger(__name__)

_FEWEST_LABELS = 2


def run(
    counts: InFile,
    reference: InFile,
    label_key: Word,
    tangram: OutFile,
    settings: Annotated[AnnotateSettings, as_json(AnnotateSettings)],
    layer: Annotated[str, typer.Option(help="Layer of raw counts; empty takes X.")] = "",
    label_map: MaybeInFile = None,
    threads: Threads = 1,
) -> None:
    """Score every nucleus or cell of a count table against a reference atlas."""
    table = read_h5ad(counts)
    atlas = read_reference(
        reference,
        label_key,
        list(table.var_names),
        _gene_ids(table),
        layer=layer,
        cells_per_label=settings.cells_per_label,
        seed=settings.seed,
    )
    atlas = _usable(atlas, reference, table.n_vars, settings)
    entries = resolve_labels(atlas.labels, read_label_map(label_map), reference)
    shares = _shares(table, atlas, settings, threads)
    inputs = {"counts": counts, "reference": reference, "label_map": label_map}
    classes = {label: entry.class_name for label, entry in entries.items()}
    scores = Scores(_id_column(table), _ids(table), atlas.labels, shares)
    write_scores(tangram, scores, classes, provenance("annotate", settings, inputs))


def _gene_ids(table: anndata.AnnData) -> list[str]:
    column = table.var.get("gene_id", table.var_names)
    return [str(gene_id) for gene_id in column]


def _id_column(table: anndata.AnnData) -> str:
    return "nucleus_id" if "nucleus_id" in table.obs else "cell_id"


def _ids(table: anndata.AnnData) -> NDArray[np.generic]:
    if "nucleus_id" in table.obs:
        return np.asarray(table.obs["nucleus_id"], dtype=np.uint32)
    return np.asarray(table.obs["cell_id"].astype(str), dtype=object)


def _usable(atlas: Reference, path: Path, n_panel: int, settings: AnnotateSettings) -> Reference:
    """Say what the atlas and the panel share, and leave out labels with too few cells."""
    shared = len(atlas.gene_columns)
    logger.info(
        "reference: %d of %d genes of the panel, %s values, %d of %d cells",
        shared,
        n_panel,
        atlas.scale,
        atlas.cells_used,
        atlas.cells_per_label.sum(),
    )
    if shared < min(settings.min_shared_genes, n_panel):
        raise InputError(
            f"{path}: expected at least {settings.min_shared_genes} of the {n_panel} genes of the panel, "
            f"found {shared}; check that species and gene names agree"
        )
    return _with_enough_cells(atlas, path, settings.min_label_cells)


def _with_enough_cells(atlas: Reference, path: Path, min_label_cells: int) -> Reference:
    kept = atlas.cells_per_label >= min_label_cells
    kept &= atlas.profiles.sum(axis=1) > 0
    for number in np.flatnonzero(~kept):
        logger.info(
            "reference: label %r left out: %d cells, or none of the shared genes",
            atlas.labels[number],
            atlas.cells_per_label[number],
        )
    if kept.sum() < _FEWEST_LABELS:
        raise InputError(
            f"{path}: expected at least {_FEWEST_LABELS} labels of {min_label_cells} cells or more, "
            f"found {kept.sum()}; check label_key in the sheet of references"
        )
    return replace(
        atlas,
        labels=[atlas.labels[number] for number in np.flatnonzero(kept)],
        profiles=atlas.profiles[kept],
        cells_per_label=atlas.cells_per_label[kept],
    )


def _shares(
    table: anndata.AnnData, atlas: Reference, settings: AnnotateSettings, threads: int
) -> NDArray[np.float32]:
    """Return the label shares of every row of the table; NaN for rows without a shared count."""
    counts = sp.csr_matrix(table.X)[:, atlas.gene_columns]
    mapped = row_sums(counts) > 0
    logger.info(
        "mapped %d of %d objects: the others have no count of a shared gene",
        mapped.sum(),
        len(mapped),
    )
    shares = np.full((len(mapped), len(atlas.labels)), np.nan, dtype=np.float32)
    if mapped.any():
        recipe = settings.part(MappingRecipe)
        shares[mapped] = label_shares(counts[mapped], atlas.profiles, recipe, threads)
    return shares
