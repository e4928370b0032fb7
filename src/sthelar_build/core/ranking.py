"""Which genes set each cluster apart: the Wilcoxon rank-sum test on sparse expression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import ndtr

_COLUMNS = ["group", "names", "scores", "logfoldchanges", "pvals", "pvals_adj"]


def rank_genes(
    logged: sp.csc_matrix | sp.csr_matrix,
    groups: NDArray[np.integer],
    group_names: list[str],
    gene_names: list[str],
    keep: int,
) -> pd.DataFrame:
    """Return the ``keep`` genes that rank highest in every group against all other rows.

    Parameters
    ----------
    logged
        (rows, genes) log-normalised, non-negative expression; a CSR matrix is copied.
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
    sums = _gene_sums(logged, groups, len(group_names))
    scores, folds = _rank_scores(sums), _log_folds(sums)
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
    logged: sp.csc_matrix | sp.csr_matrix, groups: NDArray[np.integer], n_groups: int
) -> NDArray[np.float64]:
    """Return the normal score of every group's rank sum, shape (groups, genes).

    Zeros are one tie, below all other values; only the others are sorted.
    """
    return _rank_scores(_gene_sums(logged, groups, n_groups))


@dataclass(frozen=True)
class _GeneSums:
    """What the test needs of every group and gene, both (groups, genes)."""

    sizes: NDArray[np.float64]
    """Rows of every group."""
    ranks: NDArray[np.float64]
    values: NDArray[np.float64]


def _gene_sums(
    logged: sp.csc_matrix | sp.csr_matrix, groups: NDArray[np.integer], n_groups: int
) -> _GeneSums:
    n_rows, n_genes = logged.shape
    sizes = np.bincount(groups, minlength=n_groups).astype(np.float64)
    columns = logged.tocsc()
    ranks, values = np.empty((n_groups, n_genes)), np.empty((n_groups, n_genes))
    for gene in range(n_genes):
        part = slice(columns.indptr[gene], columns.indptr[gene + 1])
        n_zero = n_rows - int(part.stop - part.start)
        owners, present = groups[columns.indices[part]], columns.data[part]
        n_present = np.bincount(owners, minlength=n_groups)
        above = np.bincount(owners, _mean_ranks(present), minlength=n_groups)
        ranks[:, gene] = above + n_present * n_zero + (sizes - n_present) * (n_zero + 1) / 2
        values[:, gene] = np.bincount(owners, present, minlength=n_groups)
    return _GeneSums(sizes, ranks, values)


def _mean_ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the rank of every value from 1; equal values share their mean. scipy.stats, which has this, loads for long."""
    _, place, ties = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(ties) - (ties - 1) / 2)[place])


def _rank_scores(sums: _GeneSums) -> NDArray[np.float64]:
    n_rows = sums.sizes.sum()
    expected = sums.sizes * (n_rows + 1) / 2
    spread = np.sqrt(sums.sizes * (n_rows - sums.sizes) * (n_rows + 1) / 12)
    away = sums.ranks - expected[:, None]
    scores: NDArray[np.float64] = np.zeros_like(away)
    np.divide(away, spread[:, None], out=scores, where=spread[:, None] > 0)
    return scores


def _log_folds(sums: _GeneSums) -> NDArray[np.float64]:
    sizes = sums.sizes[:, None]
    inside = np.expm1(sums.values / np.maximum(sizes, 1))
    others = np.maximum(sums.sizes.sum() - sizes, 1)
    outside = np.expm1((sums.values.sum(axis=0) - sums.values) / others)
    return np.asarray(np.log2((inside + 1e-9) / (outside + 1e-9)))


def benjamini_hochberg(pvals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p-values adjusted for the false discovery rate, in the order given."""
    order = np.argsort(pvals)[::-1]
    ranks = np.arange(len(pvals), 0, -1)
    adjusted = np.empty_like(pvals)
    adjusted[order] = np.minimum.accumulate(np.minimum(pvals[order] * len(pvals) / ranks, 1))
    return adjusted
