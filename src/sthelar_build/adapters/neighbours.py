"""The graph of nearest neighbours: exact for small tables, by near lists of rows for large ones."""

from __future__ import annotations

import math
import warnings
from types import ModuleType

import numba
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sthelar_build.adapters.inverted_lists import near_points
from sthelar_build.core.crowds import first_of_crowd, with_crowds

Floats = NDArray[np.float32]
Numbers = NDArray[np.int32]


def neighbour_graph(
    components: Floats, neighbours: int, seed: int, *, exact: bool, threads: int = 1
) -> sp.csr_matrix:
    """Return how strongly rows are joined: UMAP's fuzzy union of the neighbourhoods, symmetric CSR float32.

    ``neighbours`` counts the row itself and must be at most the number of rows. The exact search goes through all
    pairs, on one thread; the other through near lists of rows (``inverted_lists``), which finds 99 of 100. Both give
    the same on any number of threads.

    Where rows crowd at one place (``core.crowds``), the other search sees one of them there, and joins the others to it
    alone: each would have found nothing but its doubles, and the graph would fall into thousands of parts.
    """
    if exact:
        return _fuzzy_union(*_found(components, neighbours, seed, exact, threads))
    first = first_of_crowd(components, int(math.log2(neighbours)))
    seen = np.flatnonzero(first == np.arange(len(first)))
    if len(seen) < neighbours:
        first, seen = np.arange(len(first)), np.arange(len(first))
    found = _found(components[seen], neighbours, seed, exact, threads)
    return with_crowds(_fuzzy_union(*found), first)


def nearest_rows(
    components: Floats, neighbours: int, seed: int, *, exact: bool, threads: int = 1
) -> Numbers:
    """Return the rows nearest to every row, itself left out: int32 of shape (rows, neighbours).

    There are fewer where the table has no more rows than that. The search is that of :func:`neighbour_graph`.
    """
    wanted = min(neighbours + 1, len(components))
    if wanted < 2:
        return np.zeros((len(components), 0), dtype=np.int32)
    found, _ = _found(components, wanted, seed, exact, threads)
    return found[:, 1:]


def _found(
    components: Floats, neighbours: int, seed: int, exact: bool, threads: int
) -> tuple[Numbers, Floats]:
    if exact:
        return _itself_first(*_all_pairs(components, neighbours))
    return _itself_first(*near_points(components, neighbours, seed, threads))


def _all_pairs(components: Floats, neighbours: int) -> tuple[Numbers, Floats]:
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=neighbours, algorithm="brute").fit(components)
    # Which of two rows at the same distance is found may differ where several threads share the search.
    with threadpool_limits(1):
        distances, found = search.kneighbors(components)
    return found.astype(np.int32), distances.astype(np.float32)


def _itself_first(found: Numbers, distances: Floats) -> tuple[Numbers, Floats]:
    """Return neighbours with every row's own number in front, also where the search missed it."""
    rows = np.arange(len(found), dtype=found.dtype)[:, None]
    own = found == rows
    own[~own.any(axis=1), -1] = True
    others, far = found[~own].reshape(len(found), -1), distances[~own].reshape(len(found), -1)
    return np.hstack([rows, others]), np.hstack([np.zeros_like(far[:, :1]), far])


def _fuzzy_union(found: Numbers, distances: Floats) -> sp.csr_matrix:
    rows, neighbours = found.shape
    numba.set_num_threads(1)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from umap import umap_  # type: ignore[import-untyped]

        _keep_what_is_compiled(umap_)
        union, _, _ = umap_.fuzzy_simplicial_set(
            sp.coo_matrix((rows, 1)),
            neighbours,
            random_state=None,
            metric="euclidean",
            knn_indices=found,
            knn_dists=distances,
        )
    return sp.csr_matrix(union, dtype=np.float32)


def _keep_what_is_compiled(umap_: ModuleType) -> None:
    """Let numba cache two functions of umap, which else take longer to compile than a small slide to cluster."""
    umap_.smooth_knn_dist.enable_caching()
    umap_.compute_membership_strengths.enable_caching()
