"""Everything known about nuclei or cells in one table: counts, labels, scores, clusters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from anndata import AnnData
from numpy.typing import NDArray

from sthelar_build.core.clusters import leiden_columns
from sthelar_build.core.normalise import group_sums_sparse, log_normalise
from sthelar_build.core.scores import Scores, spread, strongest
from sthelar_build.schema.elements import COUNT_LAYER
from sthelar_build.schema.labels import CLASS_NAMES, class_named

LABEL_COLUMNS = (
    "final_label",
    "label1",
    "label2",
    "label3",
    "confidence",
    "decided_by",
    "cluster",
)
"""What ``obs`` takes from the labels of the cell; all but ``confidence`` are words."""
EMBEDDINGS = ("X_pca", "X_scVI", "X_umap")
"""What ``obsm`` takes from the clusters, as far as they have it."""
RANKING = "rank_genes_groups"


def object_table(
    counts: AnnData, clusters: AnnData, scores: Scores, labels: pd.DataFrame, slide: str
) -> AnnData:
    """Join what the stages know about every object, one row per row of ``counts``, in its order.

    Parameters
    ----------
    counts
        Raw counts (CSR) of nuclei or cells; ``obs`` holds ``cell_id``, ``obsm["spatial"]`` um.
    clusters
        Leiden columns and ``EMBEDDINGS`` of some of the objects, by the same ``obs_names``.
    scores
        Tangram scores of some of the objects; their ids are the ``obs_names``, as text or as numbers.
    labels
        ``LABEL_COLUMNS`` by ``cell_id`` (the index), for every cell.
    slide
        Name of the slide; (slide, cell_id) is unique over slides.

    Returns
    -------
    ``X`` is log-normalised for every row, the layer ``count`` raw. Objects that were not clustered or
    scored have missing categories and NaN rows. ``uns`` holds the order of the columns of
    ``tangram_pred``, and the colours of ``final_label``.
    """
    raw = sp.csr_matrix(counts.X, dtype=np.float32)
    clustered = clusters.obs_names.get_indexer(counts.obs_names)
    scored = pd.Index(scores.ids).astype(str).get_indexer(counts.obs_names)
    obs = counts.obs.drop(columns=["x_um", "y_um"], errors="ignore").assign(
        slide=pd.Categorical([slide] * counts.n_obs),
        **_label_columns(labels, counts.obs["cell_id"]),
        **_tangram_columns(scores, scored),
        **_leiden_columns(clusters, clustered),
    )
    table = AnnData(X=log_normalise(raw), obs=obs, var=counts.var.copy(), layers={COUNT_LAYER: raw})
    table.obsm["spatial"] = np.asarray(counts.obsm["spatial"])
    for name in sorted(clusters.obsm.keys() & set(EMBEDDINGS)):
        table.obsm[name] = spread(np.asarray(clusters.obsm[name]), clustered)
    table.obsm["tangram_pred"] = spread(scores.shares, scored)
    table.uns["tangram_labels"] = np.array(scores.labels, dtype=object)
    table.uns["final_label_colors"] = _colours(table.obs["final_label"].cat.categories)
    if RANKING in clusters.uns:
        table.uns[RANKING] = clusters.uns[RANKING]
    return table


def summed_over_nuclei(nucleus_counts: AnnData, cell_ids: pd.Index) -> sp.csr_matrix:
    """Return per cell the counts of all its nuclei, CSR float32 (cells, genes); no nucleus, no counts."""
    cell_of_nucleus = cell_ids.get_indexer(nucleus_counts.obs["cell_id"])
    counts = sp.csr_matrix(nucleus_counts.X, dtype=np.float32)
    return group_sums_sparse(counts, cell_of_nucleus, len(cell_ids))


def _label_columns(labels: pd.DataFrame, cell_ids: pd.Series) -> dict[str, Any]:
    own = labels.loc[cell_ids, list(LABEL_COLUMNS)]
    columns: dict[str, Any] = {name: pd.Categorical(own[name]) for name in LABEL_COLUMNS}
    used = set(columns["final_label"].categories)
    columns["final_label"] = columns["final_label"].set_categories(
        [name for name in CLASS_NAMES if name in used]
    )
    return {**columns, "confidence": own["confidence"].to_numpy(np.float32)}


def _tangram_columns(scores: Scores, rows: NDArray[np.intp]) -> dict[str, Any]:
    best = np.append(strongest(scores.shares), -1)[rows]
    highest = np.append(scores.shares.max(axis=1), np.float32(np.nan))[rows]
    return {
        "ct_tangram": pd.Categorical.from_codes(best, pd.Index(scores.labels)),
        "tangram_score": highest,
    }


def _leiden_columns(clusters: AnnData, rows: NDArray[np.intp]) -> dict[str, Any]:
    columns = {}
    for name in leiden_columns(clusters.obs.columns):
        groups = pd.Categorical(clusters.obs[name])
        codes = np.append(groups.codes, -1)[rows]
        columns[name] = pd.Categorical.from_codes(codes, groups.categories)
    return columns


def _colours(names: pd.Index) -> NDArray[np.object_]:
    return np.array([class_named(name).hex_colour for name in names], dtype=object)
