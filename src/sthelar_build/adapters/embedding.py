"""UMAP of the components; of a large table, UMAP of some of its rows, and the others between their neighbours."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import anndata
import numba
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sthelar_build.adapters.neighbours import neighbour_graph

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class EmbeddingRecipe:
    """How to embed; see ``ClusterSettings`` for the meaning of each."""

    neighbours: int
    exact_neighbours_below: int
    umap_rows: int
    seed: int

    def exact(self, rows: int) -> bool:
        """Return whether the neighbours of so many rows are searched among all pairs."""
        return rows < self.exact_neighbours_below


def embed(
    components: Floats, graph: sp.csr_matrix, recipe: EmbeddingRecipe, threads: int = 1
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return places in the plane (rows, 2), and which rows UMAP has fitted; the others follow from these.

    Up to ``umap_rows`` rows all are fitted, starting from the first two components. Of more rows a seeded sample of
    that many is fitted, on neighbours of its own; every other row lies at the mean of its neighbours in the whole
    graph, weighted by how strongly they are joined.
    """
    rows = len(components)
    if rows <= recipe.umap_rows:
        return _fit(components, graph, recipe), np.ones(rows, dtype=np.bool_)
    fitted = _sample(graph, recipe.umap_rows, recipe.seed)
    chosen = components[fitted]
    exact = recipe.exact(len(chosen))
    own_graph = neighbour_graph(
        chosen, recipe.neighbours, recipe.seed, exact=exact, threads=threads
    )
    places = np.zeros((rows, 2), dtype=np.float32)
    places[fitted] = _fit(chosen, own_graph, recipe)
    return between_neighbours(places, fitted, graph), fitted


def between_neighbours(places: Floats, known: NDArray[np.bool_], graph: sp.csr_matrix) -> Floats:
    """Return places with every unknown one at the weighted mean of its known neighbours.

    Rows without a known neighbour follow those that got one, step by step; every connected part of the graph must
    have a known row. The known ones stay where they are.
    """
    places, known = places.copy(), known.copy()
    while not known.all():
        left = np.flatnonzero(~known)
        towards = graph[left][:, known]
        weight = np.asarray(towards.sum(axis=1)).ravel()
        reached = weight > 0
        assert reached.any()
        means = (towards @ places[known])[reached] / weight[reached, None]
        places[left[reached]] = means
        known[left[reached]] = True
    return places


def _sample(graph: sp.csr_matrix, n: int, seed: int) -> NDArray[np.bool_]:
    """Choose ``n`` rows at random, and the first of every connected part that has none among them."""
    rows = graph.shape[0]
    chosen = np.zeros(rows, dtype=np.bool_)
    chosen[np.random.default_rng(seed).choice(rows, n, replace=False)] = True
    _, part = connected_components(graph, directed=False)
    parts, first = np.unique(part, return_index=True)
    chosen[first[~np.isin(parts, part[chosen])]] = True
    return chosen


def _fit(components: Floats, graph: sp.csr_matrix, recipe: EmbeddingRecipe) -> Floats:
    import scanpy

    table = anndata.AnnData(obsm={"X_pca": components}, shape=(len(components), 0))
    table.obsp["connectivities"] = graph
    table.uns["neighbors"] = {
        "connectivities_key": "connectivities",
        "params": {"method": "umap", "n_neighbors": recipe.neighbours, "use_rep": "X_pca"},
    }
    numba.set_num_threads(1)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scanpy.tl.umap(table, init_pos=_start(components), random_state=recipe.seed)
    return np.asarray(table.obsm["X_umap"], dtype=np.float32)


def _start(components: Floats) -> Floats:
    """Return the first two components in the range that UMAP starts from; a missing one is 0."""
    plane = np.zeros((len(components), 2), dtype=np.float32)
    plane[:, : min(2, components.shape[1])] = components[:, :2]
    return plane * (10 / max(float(np.abs(plane).max()), 1e-12))
