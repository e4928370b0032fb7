"""Leiden clusters of a graph of neighbours (Traag et al. 2019), by igraph."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from sthelar_build.io.progress import progress

if TYPE_CHECKING:
    import igraph

Labels: TypeAlias = "pd.Categorical[str]"
_ITERATIONS = 2


def leiden_clusters(
    graph: sp.csr_matrix, resolutions: tuple[float, ...], seed: int
) -> dict[float, Labels]:
    """Return the clusters of every resolution, numbered from the largest.

    Modularity with a resolution, as scanpy and the original use it. The graph is handed to igraph once for all
    resolutions, every edge once: the two directions of an edge double all weights and change no modularity.
    """
    # igraph loads pyplot, half a second, which the other commands of the module do without.
    import igraph

    edges = sp.triu(graph, k=1).tocoo()
    pairs = np.column_stack([edges.row, edges.col]).astype(np.int64)
    joined = igraph.Graph(n=graph.shape[0], edges=pairs)
    joined.es["weight"] = edges.data.tolist()
    del edges, pairs
    each = progress(resolutions, "resolutions of Leiden", len(resolutions))
    return {resolution: _clusters(joined, resolution, seed) for resolution in each}


def _clusters(joined: igraph.Graph, resolution: float, seed: int) -> Labels:
    import igraph

    # igraph draws from a generator of its own module, not from an argument.
    igraph.set_random_number_generator(random.Random(seed))
    try:
        found = joined.community_leiden(
            objective_function="modularity",
            weights="weight",
            resolution=resolution,
            n_iterations=_ITERATIONS,
        )
    finally:
        igraph.set_random_number_generator(random)
    return from_the_largest(np.asarray(found.membership, dtype=np.intp))


def from_the_largest(clusters: NDArray[np.intp]) -> Labels:
    """Return the clusters numbered by falling size, ``"0"`` first; equal sizes keep their order."""
    sizes = np.bincount(clusters)
    rank = np.argsort(np.argsort(-sizes, kind="stable"))
    names = pd.Index([str(number) for number in range(len(sizes))])
    return pd.Categorical.from_codes(rank[clusters].astype(np.intp), names)
