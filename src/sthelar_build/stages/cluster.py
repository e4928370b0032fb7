"""Cluster nuclei, cells, both combined, or cells in the latent space of scVI."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import scipy.sparse as sp
from anndata import AnnData
from numpy.typing import NDArray

from sthelar_build.adapters.clustering import ClusterRecipe, Clusters, cluster
from sthelar_build.adapters.components import components_of, fused_components
from sthelar_build.adapters.rapids import chosen_device
from sthelar_build.adapters.scvi import check_scvi, scvi_latent
from sthelar_build.core.clusters import leiden_column
from sthelar_build.core.normalise import group_sums_sparse, log_normalised_columns, row_sums
from sthelar_build.core.ranking import rank_genes
from sthelar_build.errors import ConfigError
from sthelar_build.io.counts import read_h5ad, write_h5ad
from sthelar_build.io.memory import give_back
from sthelar_build.io.provenance import provenance
from sthelar_build.options import InFile, OutFile, Threads, Word, as_json
from sthelar_build.settings.cluster import ClusterSettings

logger = logging.getLogger(__name__)

TABLES = ("nuclei", "cells", "combined", "scvi")
_IDS = ("cell_id", "nucleus_id")


def run(
    counts_nuclei: InFile,
    counts_cells: InFile,
    table: Word,
    clusters: OutFile,
    settings: Annotated[ClusterSettings, as_json(ClusterSettings)],
    threads: Threads = 1,
) -> None:
    """Cluster one of the tables nuclei, cells, combined, or scvi (the cells in the latent space of scVI)."""
    if table not in TABLES:
        raise ConfigError(
            f"--table: expected one of {', '.join(TABLES)}, found {table!r}; correct it"
        )
    if table == "scvi":
        check_scvi()
    device = chosen_device(settings.device)
    recipe = replace(settings.part(ClusterRecipe), device=device)
    objects = read_h5ad(counts_nuclei if table == "nuclei" else counts_cells)
    objects = _enough_transcripts(objects, settings.min_transcripts, table)
    give_back()
    if table == "combined":
        objects, nuclear = _with_nucleus(objects, counts_nuclei)
        give_back()
        space = _fused(objects, nuclear, settings.components, threads)
        del nuclear
    elif table == "scvi":
        dimensions, epochs = settings.scvi_dimensions, settings.scvi_max_epochs
        space = scvi_latent(sp.csr_matrix(objects.X), dimensions, epochs, settings.seed)
    else:
        space = components_of(sp.csr_matrix(objects.X), settings.components, threads)
    found = cluster(space, recipe, threads)
    result = _table(objects, found, settings, "X_scVI" if table == "scvi" else "X_pca")
    result.uns["clustering"] = _how(recipe, found, table)
    inputs = {"counts_nuclei": counts_nuclei, "counts_cells": counts_cells}
    write_h5ad(clusters, result, provenance("cluster", settings, inputs))


def _enough_transcripts(objects: AnnData, min_transcripts: int, table: str) -> AnnData:
    kept = row_sums(sp.csr_matrix(objects.X)) >= min_transcripts
    logger.info(
        "%s: kept %d of %d rows: the others have fewer than %d transcripts",
        table,
        kept.sum(),
        len(kept),
        min_transcripts,
    )
    return objects[kept].copy()


def _with_nucleus(cells: AnnData, counts_nuclei: Path) -> tuple[AnnData, sp.csr_matrix]:
    """Return the cells that own a nucleus, and the summed counts of the nuclei of each."""
    nuclear, number = _nuclear_counts(cells, counts_nuclei)
    give_back()
    kept = number > 0
    logger.info("combined: kept %d of %d cells: the others have no nucleus", kept.sum(), len(kept))
    nuclear = nuclear[kept]
    return cells[kept].copy(), nuclear


def _nuclear_counts(
    cells: AnnData, counts_nuclei: Path
) -> tuple[sp.csr_matrix, NDArray[np.integer]]:
    """Return the summed counts of the nuclei of every cell, and how many nuclei it has."""
    nuclei = read_h5ad(counts_nuclei)
    if not nuclei.var_names.equals(cells.var_names):
        nuclei = nuclei[:, cells.var_names]
    owners = pd.Index(cells.obs["cell_id"].astype(str))
    rows = owners.get_indexer(nuclei.obs["cell_id"].astype(str))
    nuclear = group_sums_sparse(sp.csr_matrix(nuclei.X), rows, cells.n_obs)
    return nuclear, np.bincount(rows[rows >= 0], minlength=cells.n_obs)


def _fused(
    cells: AnnData, nuclear: sp.csr_matrix, n_components: int, threads: int
) -> NDArray[np.float32]:
    """Return joint components of nuclei and cytoplasm, which is the cell less its nuclei."""
    cytoplasm = sp.csr_matrix(cells.X) - nuclear
    # A molecule of an overlapping neighbour's nucleus may be in the nucleus but not in the cell.
    np.maximum(cytoplasm.data, 0, out=cytoplasm.data)
    cytoplasm.eliminate_zeros()
    return fused_components(nuclear, cytoplasm, n_components, threads)


def _how(recipe: ClusterRecipe, found: Clusters, table: str) -> dict[str, str | int]:
    """Return what a reader of the clusters must know of how they were found."""
    rows = len(found.components)
    exact = recipe.device == "cuda" or recipe.exact(rows)
    how = "exact" if exact else "near lists"
    logger.info("%s: %s neighbours, on %s", table, how, recipe.device)
    if found.n_fitted < rows:
        logger.info(
            "%s: UMAP fitted to %d of %d rows: the others lie between their neighbours",
            table,
            found.n_fitted,
            rows,
        )
    return {"device": recipe.device, "neighbours": how, "umap_fitted_rows": found.n_fitted}


def _table(objects: AnnData, found: Clusters, settings: ClusterSettings, space: str) -> AnnData:
    """Return ids, clusters and embeddings of the rows, and the genes of the finest clusters."""
    obs = objects.obs[[name for name in _IDS if name in objects.obs]].copy()
    for column, labels in found.leiden.items():
        obs[column] = labels
        logger.info("%s: %d clusters", column, len(labels.categories))
    finest = found.leiden[leiden_column(max(settings.resolutions))]
    ranking = rank_genes(
        log_normalised_columns(sp.csr_matrix(objects.X)),
        finest.codes.astype(np.intp),
        list(finest.categories),
        list(objects.var_names),
        settings.ranked_genes,
    )
    return AnnData(
        obs=obs,
        obsm={space: found.components, "X_umap": found.umap},
        uns={"rank_genes_groups": ranking},
    )
