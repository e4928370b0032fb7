"""What every cell type expresses, and which genes a panel holds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SHARED = "shared"
"""The label of genes that every type expresses."""
_LEAK = 0.012
_FLOOR = 0.008


@cache
def programme_table() -> pd.DataFrame:
    """Return ``programmes.csv``: ``fine_label``, ``class_name``, ``gene``, ``mean`` (relative expression)."""
    return _read("programmes.csv").fillna({"class_name": ""})


@cache
def ensembl_ids() -> dict[str, str]:
    """Return the gene id of every programme gene.

    ``genes.csv`` has the ids of Ensembl that are known for sure. The others are made up, and cannot be
    mistaken: ``ENSG9`` and ten digits, a range that Ensembl does not use.
    """
    known = dict(zip(*_read("genes.csv")[["gene", "ensembl_id"]].to_numpy().T, strict=True))
    names = sorted(set(programme_table()["gene"]))
    return {name: known.get(name, f"ENSG9{number:010d}") for number, name in enumerate(names)}


def _read(file_name: str) -> pd.DataFrame:
    with resources.files(__package__).joinpath(file_name).open(encoding="utf-8") as file:
        return pd.read_csv(file, keep_default_na=True)


@dataclass(frozen=True)
class Programmes:
    """Expected expression of types over genes, in the order of the panel."""

    labels: tuple[str, ...]
    genes: tuple[str, ...]
    gene_ids: tuple[str, ...]
    profile: NDArray[np.float64]
    """(types, genes); every row sums to 1 over the genes."""

    def rows(self, labels: NDArray[np.object_] | pd.Series) -> NDArray[np.int64]:
        """Return the row of ``profile`` for every label."""
        position = {label: row for row, label in enumerate(self.labels)}
        return np.array([position[label] for label in labels], dtype=np.int64)

    def first(self, count: int) -> Programmes:
        """Return the programmes over the first ``count`` genes; rows sum to 1 again."""
        profile = self.profile[:, :count]
        profile = profile / profile.sum(axis=1, keepdims=True)
        return Programmes(self.labels, self.genes[:count], self.gene_ids[:count], profile)


def programmes(rng: np.random.Generator, labels: tuple[str, ...], n_genes: int) -> Programmes:
    """Return the programmes of ``labels`` over ``n_genes`` genes: markers first, then filler.

    Genes are ranked by turns: the strongest marker of every type, with the strongest shared genes
    between them, then the next, so that a small panel still tells all types apart. Beyond the genes of
    ``programmes.csv`` the panel is filled with invented ones (``SIM0001``, ...), which all types express
    at much the same low level.
    """
    known = _ranked_genes(labels)[:n_genes]
    invented = [f"SIM{number:04d}" for number in range(1, n_genes - len(known) + 1)]
    means = _marker_means(labels, known)
    level = rng.lognormal(-1.6, 0.9, len(invented))
    means = np.hstack([means, np.tile(level, (len(labels), 1))])
    means = means * rng.lognormal(0, 0.25, means.shape) + _LEAK * means.max(axis=0) + _FLOOR
    ids = ensembl_ids()
    gene_ids = [ids[gene] for gene in known] + [f"ENSG91{int(name[3:]):09d}" for name in invented]
    profile = means / means.sum(axis=1, keepdims=True)
    return Programmes(labels, tuple(known + invented), tuple(gene_ids), profile)


def _ranked_genes(labels: tuple[str, ...]) -> list[str]:
    table = programme_table()
    table = table[table["fine_label"].isin([*labels, SHARED])].copy()
    table["turn"] = table.groupby("fine_label")["mean"].rank(ascending=False, method="first")
    table.loc[table["fine_label"] == SHARED, "turn"] /= 4
    return list(table.sort_values("turn", kind="stable")["gene"].drop_duplicates())


def _marker_means(labels: tuple[str, ...], genes: list[str]) -> NDArray[np.float64]:
    table = programme_table()
    wide = table.pivot_table(index="fine_label", columns="gene", values="mean", fill_value=0.0)
    wide = wide.reindex(columns=genes)
    means: NDArray[np.float64] = wide.loc[list(labels)].to_numpy() + wide.loc[SHARED].to_numpy()
    return means
