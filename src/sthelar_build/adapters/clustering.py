"""Principal components, neighbours, Leiden and UMAP with scanpy. Arrays in, arrays out.

All but the exact search for neighbours runs on one thread, so that sums are always taken in the same
order: the result does not depend on the number of cores.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TypeAlias

import anndata
import numba
import numpy as np
import pandas as pd
import pynndescent
import scanpy
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sthelar_build.core.clusters import leiden_column
from sthelar_build.core.normalise import log_normalise, scale_genes

Floats = NDArray[np.float32]
Labels: TypeAlias = "pd.Categorical[str]"
_LEIDEN_ITERATIONS = 2


@dataclass(frozen=True)
class ClusterRecipe:
    """How to cluster; see ``ClusterSettings`` for the meaning of each."""

    components: int
    neighbours: int
    resolutions: tuple[float, ...]
    exact_neighbours_below: int
    seed: int


@dataclass(frozen=True)
class Clusters:
    """Embeddings and clusterings of the rows of a table."""

    components: Floats
    """(rows, components)."""
    umap: Floats
    """(rows, 2)."""
    leiden: dict[str, Labels]
    """``leiden_{resolution}`` -> cluster of every row; clusters are numbered from the largest."""


def components_of(counts: sp.csr_matrix, n: int, seed: int) -> Floats:
    """Return at most ``n`` principal components of log-normalised, scaled counts (rows, components)."""
    scaled = scale_genes(log_normalise(counts))
    return _components(scaled, n, seed)


def fused_components(first: sp.csr_matrix, second: sp.csr_matrix, n: int, seed: int) -> Floats:
    """Return components of two count tables of the same rows, each with equal say.

    Multiple factor analysis: ``n`` components of each block, divided by the root of the block's largest
    eigenvalue, side by side, and components of that. One direction is left out, as its variance is
    the least.
    """
    blocks = []
    for counts in (first, second):
        components = components_of(counts, n, seed)
        largest = components.var(axis=0, ddof=1).max() if components.size else 0.0
        blocks.append(components / np.sqrt(largest) if largest > 0 else components)
    return _components(np.hstack(blocks), 2 * n - 1, seed)


def _components(matrix: sp.csr_matrix | Floats, n: int, seed: int) -> Floats:
    kept = min(n, min(matrix.shape) - 1)
    if kept < 1:
        return np.zeros((matrix.shape[0], 1), dtype=np.float32)
    solver = "covariance_eigh" if sp.issparse(matrix) else "full"
    with threadpool_limits(1):
        components = scanpy.pp.pca(matrix, n_comps=kept, svd_solver=solver, random_state=seed)
    return np.ascontiguousarray(components, dtype=np.float32)


def cluster(components: Floats, recipe: ClusterRecipe, threads: int = 1) -> Clusters:
    """Cluster and embed rows by their components.

    Neighbours are exact below ``exact_neighbours_below`` rows and approximate (NN-descent, seeded)
    above. With no more rows than neighbours asked for, all rows are one cluster at the origin.
    """
    if len(components) <= recipe.neighbours:
        return _one_cluster(components, recipe)
    table = anndata.AnnData(obsm={"X_pca": components}, shape=(len(components), 0))
    exact = len(components) < recipe.exact_neighbours_below
    numba.set_num_threads(1)
    with threadpool_limits(threads), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _keep_what_umap_compiles()
        scanpy.pp.neighbors(
            table,
            n_neighbors=recipe.neighbours,
            use_rep="X_pca",
            transformer="sklearn" if exact else _Approximate(recipe.neighbours, recipe.seed),
            random_state=recipe.seed,
        )
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        leiden = {leiden_column(r): _leiden(table, r, recipe.seed) for r in recipe.resolutions}
        scanpy.tl.umap(table, init_pos=_start(components), random_state=recipe.seed)
    return Clusters(components, np.asarray(table.obsm["X_umap"], dtype=np.float32), leiden)


def _keep_what_umap_compiles() -> None:
    """Let numba cache two functions of umap, which else take longer to compile than a small slide to cluster."""
    from umap import umap_  # type: ignore[import-untyped]

    umap_.smooth_knn_dist.enable_caching()
    umap_.compute_membership_strengths.enable_caching()


class _Approximate:
    """NN-descent in the form that scanpy asks for.

    The pynndescent that returns sparse arrays does not fit the scanpy that expects sparse matrices.
    """

    def __init__(self, neighbours: int, seed: int) -> None:
        self.neighbours, self.seed = neighbours, seed

    def get_params(self) -> dict[str, int]:
        """Return what scanpy asks of a transformer."""
        return {"n_neighbors": self.neighbours}

    def fit_transform(self, components: Floats) -> sp.csr_matrix:
        """Return the distances to the neighbours of every row, itself first."""
        index = pynndescent.NNDescent(
            components,
            n_neighbors=self.neighbours,
            random_state=self.seed,
            compressed=False,
            # The descent finds other neighbours when other threads share it.
            n_jobs=1,
        )
        found, distances = _itself_first(*index.neighbor_graph)
        rows = len(components)
        starts = np.arange(0, found.size + 1, found.shape[1])
        return sp.csr_matrix((distances.ravel(), found.ravel(), starts), shape=(rows, rows))


def _itself_first(found: NDArray[np.int32], distances: Floats) -> tuple[NDArray[np.int32], Floats]:
    """Return neighbours with every row's own number in front, also where the search missed it."""
    rows = np.arange(len(found), dtype=found.dtype)[:, None]
    own = found == rows
    own[~own.any(axis=1), -1] = True
    others, far = found[~own].reshape(len(found), -1), distances[~own].reshape(len(found), -1)
    return np.hstack([rows, others]), np.hstack([np.zeros_like(far[:, :1]), far])


def _leiden(table: anndata.AnnData, resolution: float, seed: int) -> Labels:
    scanpy.tl.leiden(
        table,
        resolution=resolution,
        random_state=seed,
        flavor="igraph",
        directed=False,
        n_iterations=_LEIDEN_ITERATIONS,
    )
    return _from_the_largest(table.obs["leiden"])


def _from_the_largest(clusters: pd.Series) -> Labels:
    """Return the clusters numbered by falling size; equal sizes keep their order."""
    codes = clusters.cat.codes.to_numpy()
    sizes = np.bincount(codes, minlength=len(clusters.cat.categories))
    rank = np.argsort(np.argsort(-sizes, kind="stable"))
    names = pd.Index([str(number) for number in range(len(sizes))])
    return pd.Categorical.from_codes(rank[codes].astype(np.intp), names)


def _start(components: Floats) -> Floats:
    """Return the first two components in the range that UMAP starts from; a missing one is 0."""
    plane = np.zeros((len(components), 2), dtype=np.float32)
    plane[:, : min(2, components.shape[1])] = components[:, :2]
    return plane * (10 / max(float(np.abs(plane).max()), 1e-12))


def _one_cluster(components: Floats, recipe: ClusterRecipe) -> Clusters:
    rows = len(components)
    one = pd.Categorical(["0"] * rows, categories=["0"] if rows else [])
    return Clusters(
        components,
        np.zeros((rows, 2), dtype=np.float32),
        {leiden_column(resolution): one for resolution in recipe.resolutions},
    )
