"""Score every nucleus or cell against the reference with Tangram."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import anndata
import numpy as np
import scipy.sparse as sp
import typer
from numpy.typing import NDArray

from sthelar_build.adapters.label_transfer import TransferRecipe, transfer_labels
from sthelar_build.adapters.metacells import MetacellRecipe, metacell_groups
from sthelar_build.adapters.tangram import MappingRecipe, Profiles, label_shares
from sthelar_build.core.atlas.reference import Reference
from sthelar_build.core.normalise import row_sums
from sthelar_build.core.scores import Scores, strongest
from sthelar_build.core.transfer import Transfer, agreement_by_class
from sthelar_build.core.wording import percent
from sthelar_build.errors import InputError
from sthelar_build.io.counts import read_h5ad
from sthelar_build.io.label_map import read_label_map, resolve_labels
from sthelar_build.io.provenance import provenance
from sthelar_build.io.reference import read_reference
from sthelar_build.io.scores import write_scores
from sthelar_build.options import InFile, MaybeInFile, OutFile, Threads, Word, as_json
from sthelar_build.settings.annotate import AnnotateSettings

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
        donor_columns=settings.donor_columns,
        seed=settings.seed,
    )
    atlas = _usable(atlas, reference, table.n_vars, settings)
    entries = resolve_labels(atlas.labels, read_label_map(label_map), reference)
    classes = {label: entry.class_name for label, entry in entries.items()}
    shared = sp.csr_matrix(table.X)[:, atlas.gene_columns]
    shares = _shares(shared, atlas, settings, threads)
    scores = Scores(_id_column(table), _ids(table), atlas.labels, shares)
    transfer = _second_opinion(shared, atlas, scores, classes, settings)
    inputs = {"counts": counts, "reference": reference, "label_map": label_map}
    write_scores(tangram, scores, classes, provenance("annotate", settings, inputs), transfer)


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
    """Refuse an atlas of other genes, leave out labels with too few cells, and say what is used."""
    shared = len(atlas.gene_columns)
    if shared < min(settings.min_shared_genes, n_panel):
        raise InputError(
            f"{path}: expected at least {settings.min_shared_genes} of the {n_panel} genes of the panel, "
            f"found {shared}; check that species and gene names agree"
        )
    atlas = _with_enough_cells(atlas, path, settings.min_label_cells)
    logger.info(
        "reference: %d of %d cells used; by label: %s",
        atlas.cells_used.sum(),
        atlas.cells_per_label.sum(),
        ", ".join(
            f"{label} {used} of {there}"
            for label, used, there in zip(
                atlas.labels, atlas.cells_used, atlas.cells_per_label, strict=True
            )
        ),
    )
    return atlas


def _with_enough_cells(atlas: Reference, path: Path, min_label_cells: int) -> Reference:
    kept = (atlas.cells_per_label >= min_label_cells) & atlas.expressing()
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
    return atlas.of_labels(kept)


def _shares(
    counts: sp.csr_matrix, atlas: Reference, settings: AnnotateSettings, threads: int
) -> NDArray[np.float32]:
    """Return the label shares of every object; NaN for those without a shared count."""
    mapped = row_sums(counts) > 0
    logger.info(
        "mapped %d of %d objects: the others have no count of a shared gene",
        mapped.sum(),
        len(mapped),
    )
    shares = np.full((len(mapped), len(atlas.labels)), np.nan, dtype=np.float32)
    if mapped.any():
        recipe = settings.part(MappingRecipe)
        shares[mapped] = label_shares(counts[mapped], _profiles(atlas, settings), recipe, threads)
    return shares


def _profiles(atlas: Reference, settings: AnnotateSettings) -> Profiles:
    """Return what is placed: single cells, or the summed profiles of labels or of their metacells."""
    groups: NDArray[np.integer] = atlas.codes
    if settings.mode == "cells":
        groups = np.arange(len(atlas.codes))
    elif settings.metacells_per_label > 1:
        recipe = settings.part(MetacellRecipe)
        groups = metacell_groups(atlas.counts, atlas.codes, recipe)
    profiles = Profiles(*atlas.profiles(groups))
    logger.info(
        "reference: %d profiles of %d labels on %d genes",
        len(profiles.labels),
        len(atlas.labels),
        len(atlas.gene_columns),
    )
    return profiles


def _second_opinion(
    counts: sp.csr_matrix,
    atlas: Reference,
    scores: Scores,
    classes: Mapping[str, str],
    settings: AnnotateSettings,
) -> Transfer | None:
    """Transfer the labels a second way if that is asked for, and say where it agrees with Tangram."""
    if not settings.label_transfer:
        return None
    transfer = transfer_labels(counts, atlas, settings.part(TransferRecipe))
    first = [classes[atlas.labels[n]] if n >= 0 else None for n in strongest(scores.shares)]
    for found in agreement_by_class(first, transfer.classes(classes)):
        logger.info(
            "label transfer: agrees with Tangram on %s of %d %s%s",
            percent(found.share),
            found.n_objects,
            found.class_name,
            f"; says {found.rival} of {percent(found.rival_share)}" if found.rival else "",
        )
    return transfer
