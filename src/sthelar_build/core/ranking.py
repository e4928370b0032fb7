"""Which genes set each cluster apart: the Wilcoxon rank-sum test on sparse expression."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import rankdata

from sthelar_build.core.normalise import group_sums

_COLUMNS = ["group", "names", "scores", "logfoldchanges", "pvals", "pvals_adj"]


def rank_genes(
    logged: sp.csr_matrix,
    groups: NDArray[np.integer],
    group_names: list[str],
    gene_names: list[str],
    keep: int,
) -> pd.DataFrame:
    """Return the ``keep`` genes that rank highest in every group against all other rows.

    Parameters
    ----------
    logged
        (rows, genes) log-normalised, non-negative expression.
    groups
        Number of the group of every row.
    group_names, gene_names
        Names of groups and genes.
    keep
        Genes kept per group, strongest first.

    Returns
    -------
    Columns ``group``, ``names``, ``scores`` (normal score of the rank sum, without tie correction, as
    scanpy has it), ``logfoldchanges`` (log2 of the ratio of means, each taken of the logs and brought back,
    as scanpy has it), ``pvals``, ``pvals_adj`` (Benjamini-Hochberg over all genes of the group). Equal
    scores keep the order of the genes. A group that holds all rows has nothing to be compared with:
    score 0, p 1.
    """
    scores = wilcoxon_scores(logged, groups, len(group_names))
    folds = _log_folds(logged, groups, len(group_names))
    tables = []
    for number, name in enumerate(group_names):
        pvals = 2 * ndtr(-np.abs(scores[number]))
        best = np.argsort(-scores[number], kind="stable")[:keep]
        tables.append(
            pd.DataFrame(
                {
                    "group": name,
                    "names": np.asarray(gene_names, dtype=object)[best],
                    "scores": scores[number, best].astype(np.float32),
                    "logfoldchanges": folds[number, best].astype(np.float32),
                    "pvals": pvals[best],
                    "pvals_adj": benjamini_hochberg(pvals)[best],
                }
            )
        )
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=_COLUMNS)


def wilcoxon_scores(
    logged: sp.csr_matrix, groups: NDArray[np.integer], n_groups: int
) -> NDArray[np.float64]:
    """Return the normal score of every group's rank sum, shape (groups, genes).

    Zeros are one tie, below all other values; only the others are sorted.
    """
    n_rows, n_genes = logged.shape
    sizes = np.bincount(groups, minlength=n_groups).astype(np.float64)
    columns = logged.tocsc()
    sums = np.empty((n_groups, n_genes))
    for gene in range(n_genes):
        part = slice(columns.indptr[gene], columns.indptr[gene + 1])
        n_zero = n_rows - (part.stop - part.start)
        owners = groups[columns.indices[part]]
        present = np.bincount(owners, minlength=n_groups)
        ranks = np.bincount(owners, rankdata(columns.data[part]), minlength=n_groups)
        sums[:, gene] = ranks + present * n_zero + (sizes - present) * (n_zero + 1) / 2
    expected = sizes * (n_rows + 1) / 2
    spread = np.sqrt(sizes * (n_rows - sizes) * (n_rows + 1) / 12)
    away = sums - expected[:, None]
    scores: NDArray[np.float64] = np.zeros_like(away)
    np.divide(away, spread[:, None], out=scores, where=spread[:, None] > 0)
    return scores


def _log_folds(
    logged: sp.csr_matrix, groups: NDArray[np.integer], n_groups: int
) -> NDArray[np.float64]:
    sums = group_sums(logged, groups, n_groups)
    sizes = np.bincount(groups, minlength=n_groups).astype(np.float64)[:, None]
    inside = np.expm1(sums / np.maximum(sizes, 1))
    outside = np.expm1((sums.sum(axis=0) - sums) / np.maximum(len(groups) - sizes, 1))
    return np.asarray(np.log2((inside + 1e-9) / (outside + 1e-9)))


def benjamini_hochberg(pvals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p-values adjusted for the false discovery rate, in the order given."""
    order = np.argsort(pvals)[::-1]
    ranks = np.arange(len(pvals), 0, -1)
    adjusted = np.empty_like(pvals)
    adjusted[order] = np.minimum.accumulate(np.minimum(pvals[order] * len(pvals) / ranks, 1))
    return adjusted
