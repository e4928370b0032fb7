"""Rows that crowd at one place, such as cells with the same counts: so many that all neighbours of each are its doubles."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Rows = NDArray[np.intp]


def first_of_crowd(points: NDArray[np.floating], most: int) -> Rows:
    """Return the first row of the crowd that each row belongs to, itself for a row in none.

    A crowd is more than ``most`` equal rows of ``points`` (rows, axes). With log2(neighbours) doubles a row has all
    the weight that UMAP gives its neighbours (McInnes et al. 2018, section 3.1), and none is left for other rows.

    >>> first_of_crowd(np.array([[0.0], [5], [0], [7], [0], [5]]), most=2).tolist()
    [0, 1, 0, 3, 0, 5]
    """
    first = np.arange(len(points), dtype=np.intp)
    _, value, copies = np.unique(points[:, 0], return_inverse=True, return_counts=True)
    suspects = np.flatnonzero(copies[value] > most)
    if not len(suspects):
        return first
    _, start, place, copies = np.unique(
        points[suspects], axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    place = place.reshape(-1)
    crowded = copies[place] > most
    first[suspects[crowded]] = suspects[start[place[crowded]]]
    return first


def with_crowds(graph: sp.csr_matrix, first: Rows) -> sp.csr_matrix:
    """Return a symmetric graph of the rows that are the first of their crowd, or in none, with all other rows.

    These are joined to the first of their crowd, with weight 1, and to nothing else. ``graph`` (seen, seen) has its
    rows in the order of ``first`` (rows,); the result is (rows, rows), CSR of the same dtype.
    """
    alone = first == np.arange(len(first))
    if alone.all():
        return graph
    seen, others = np.flatnonzero(alone), np.flatnonzero(~alone)
    edges = graph.tocoo()
    ones = np.ones(len(others), dtype=graph.dtype)
    rows = np.concatenate([seen[edges.row], others, first[others]])
    columns = np.concatenate([seen[edges.col], first[others], others])
    values = np.concatenate([edges.data, ones, ones])
    return sp.csr_matrix((values, (rows, columns)), shape=(len(first), len(first)))
