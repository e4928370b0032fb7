"""Cluster nuclei, cells, or both combined."""

from __future__ import annotations

import logging
from typing import Annotated

import numpy as np
import pandas as pd
import scipy.sparse as sp
from anndata import AnnData
from numpy.typing import NDArray

from sthelar_build.adapters.clustering import (
    ClusterRecipe,
    Clusters,
    cluster,
    components_of,
    fused_components,
)
from sthelar_build.config import ClusterSettings
from sthelar_build.core.clusters import leiden_column
from sthelar_build.core.normalise import group_sums_sparse, log_normalise, row_sums
from sthelar_build.core.ranking import rank_genes
from sthelar_build.errors import ConfigError
from sthelar_build.io.counts import read_h5ad, write_h5ad
from sthelar_build.io.provenance import provenance
from sthelar_build.options import InFile, OutFile, Threads, Word, as_json

logger = logging.getLogger(__name__)

TABLES = ("nuclei", "cells", "combined")
_IDS = ("cell_id", "nucleus_id")


def run(
    counts_nuclei: InFile,
    counts_cells: InFile,
    table: Word,
    clusters: OutFile,
    settings: Annotated[ClusterSettings, as_json(ClusterSettings)],
    threads: Threads = 1,
) -> None:
    """Cluster one of the tables nuclei, cells, or combined."""
    if table not in TABLES:
        raise ConfigError(
            f"--table: expected one of {', '.join(TABLES)}, found {table!r}; correct it"
        )
    objects = read_h5ad(counts_nuclei if table == "nuclei" else counts_cells)
    objects = _enough_transcripts(objects, settings.min_transcripts, table)
    if table == "combined":
        objects, nuclear = _with_nucleus(objects, read_h5ad(counts_nuclei))
        components = _fused(objects, nuclear, settings)
    else:
        counts = sp.csr_matrix(objects.X)
        components = components_of(counts, settings.components, settings.seed)
    recipe = settings.part(ClusterRecipe)
    result = _table(objects, cluster(components, recipe, threads), settings)
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


def _with_nucleus(cells: AnnData, nuclei: AnnData) -> tuple[AnnData, sp.csr_matrix]:
    """Return the cells that own a nucleus, and the summed counts of the nuclei of each."""
    nuclei = nuclei[:, cells.var_names]
    owners = pd.Index(cells.obs["cell_id"].astype(str))
    rows = owners.get_indexer(nuclei.obs["cell_id"].astype(str))
    nuclear = group_sums_sparse(sp.csr_matrix(nuclei.X), rows, cells.n_obs)
    kept = np.bincount(rows[rows >= 0], minlength=cells.n_obs) > 0
    logger.info("combined: kept %d of %d cells: the others have no nucleus", kept.sum(), len(kept))
    return cells[kept].copy(), nuclear[kept]


def _fused(
    cells: AnnData, nuclear: sp.csr_matrix, settings: ClusterSettings
) -> NDArray[np.float32]:
    """Return joint components of nuclei and cytoplasm, which is the cell less its nuclei."""
    cytoplasm = sp.csr_matrix(cells.X) - nuclear
    # A molecule of an overlapping neighbour's nucleus may be in the nucleus but not in the cell.
    np.maximum(cytoplasm.data, 0, out=cytoplasm.data)
    cytoplasm.eliminate_zeros()
    return fused_components(nuclear, cytoplasm, settings.components, settings.seed)


def _table(objects: AnnData, found: Clusters, settings: ClusterSettings) -> AnnData:
    """Return ids, clusters and embeddings of the rows, and the genes of the finest clusters."""
    obs = objects.obs[[name for name in _IDS if name in objects.obs]].copy()
    for column, labels in found.leiden.items():
        obs[column] = labels
        logger.info("%s: %d clusters", column, len(labels.categories))
    finest = found.leiden[leiden_column(max(settings.resolutions))]
    ranking = rank_genes(
        log_normalise(sp.csr_matrix(objects.X)),
        finest.codes.astype(np.intp),
        list(finest.categories),
        list(objects.var_names),
        settings.ranked_genes,
    )
    return AnnData(
        obs=obs,
        obsm={"X_pca": found.components, "X_umap": found.umap},
        uns={"rank_genes_groups": ranking},
    )
