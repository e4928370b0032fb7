"""Neighbours, Leiden and UMAP of principal components. Arrays in, arrays out.

Whatever adds up numbers runs on one thread or gives every thread sums of its own: the result does not depend on the
number of cores.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.adapters.embedding import EmbeddingRecipe, embed
from sthelar_build.adapters.leiden import Labels, leiden_clusters
from sthelar_build.adapters.neighbours import neighbour_graph
from sthelar_build.adapters.rapids import Device, cluster_on_gpu
from sthelar_build.core.clusters import leiden_column

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class ClusterRecipe(EmbeddingRecipe):
    """How to cluster; see ``ClusterSettings`` for the meaning of each."""

    resolutions: tuple[float, ...]
    device: Device = "cpu"


@dataclass(frozen=True)
class Clusters:
    """Embeddings and clusterings of the rows of a table."""

    components: Floats
    """(rows, components)."""
    umap: Floats
    """(rows, 2)."""
    n_fitted: int
    """Rows that UMAP has fitted; the others lie between their neighbours."""
    leiden: dict[str, Labels]
    """``leiden_{resolution}`` -> cluster of every row; clusters are numbered from the largest."""


def cluster(components: Floats, recipe: ClusterRecipe, threads: int = 1) -> Clusters:
    """Cluster and embed rows by their components.

    Neighbours are exact below ``exact_neighbours_below`` rows, and 99 of 100 are found above; on a GPU all. With no more rows than neighbours asked for, all rows are one cluster at the origin.
    """
    if len(components) <= recipe.neighbours:
        return _one_cluster(components, recipe)
    if recipe.device == "cuda":
        found, umap = cluster_on_gpu(components, recipe.neighbours, recipe.resolutions, recipe.seed)
        n_fitted = len(components)
    else:
        found, umap, n_fitted = _on_cpu(components, recipe, threads)
    leiden = {leiden_column(resolution): labels for resolution, labels in found.items()}
    return Clusters(components, umap, n_fitted, leiden)


def _on_cpu(
    components: Floats, recipe: ClusterRecipe, threads: int
) -> tuple[dict[float, Labels], Floats, int]:
    exact = recipe.exact(len(components))
    graph = neighbour_graph(
        components, recipe.neighbours, recipe.seed, exact=exact, threads=threads
    )
    found = leiden_clusters(graph, recipe.resolutions, recipe.seed)
    umap, fitted = embed(components, graph, recipe, threads)
    return found, umap, int(fitted.sum())


def _one_cluster(components: Floats, recipe: ClusterRecipe) -> Clusters:
    rows = len(components)
    one = pd.Categorical(["0"] * rows, categories=["0"] if rows else [])
    return Clusters(
        components,
        np.zeros((rows, 2), dtype=np.float32),
        rows,
        {leiden_column(resolution): one for resolution in recipe.resolutions},
    )
