"""A single-cell reference of the same tissue, seen through another technology."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sthelar_build.core.simulation.programmes import Programmes

CELLS_PER_TYPE = 40
"""Every type has at least so many cells, however rare it is."""
_MEDIAN_DEPTH = 900.0
_DEPTH_SD = 0.5
_GENE_BIAS_SD = 0.45
_DISPERSION = 0.3
_SOUP = 0.03
_CELLS_AT_A_TIME = 1000


@dataclass(frozen=True)
class Atlas:
    """Raw counts of single cells over the genes of the programmes."""

    counts: sparse.csr_matrix
    """int32 (cells, genes)."""
    labels: NDArray[np.object_]
    """Fine label of every cell."""


def reference_atlas(rng: np.random.Generator, programmes: Programmes, n_cells: int) -> Atlas:
    """Draw about ``n_cells`` dissociated cells, at least 40 of every type.

    Against the slide: several times deeper, every gene with an efficiency of its own (log-normal, 0.45),
    3 % ambient RNA, and other proportions of the types.
    """
    types = len(programmes.labels)
    sizes = _type_sizes(rng, types, n_cells)
    rows = rng.permutation(np.repeat(np.arange(types), sizes))
    efficiency = rng.lognormal(0, _GENE_BIAS_SD, len(programmes.genes))
    profile = programmes.profile * efficiency
    profile /= profile.sum(axis=1, keepdims=True)
    profile = (1 - _SOUP) * profile + _SOUP * profile.mean(axis=0)
    depth = _MEDIAN_DEPTH * rng.lognormal(0, _DEPTH_SD, len(rows))
    blocks = [
        _drawn(
            rng,
            profile[rows[start : start + _CELLS_AT_A_TIME]],
            depth[start : start + _CELLS_AT_A_TIME],
        )
        for start in range(0, len(rows), _CELLS_AT_A_TIME)
    ]
    labels = np.array(programmes.labels, dtype=object)[rows]
    return Atlas(sparse.vstack(blocks, format="csr"), labels)


def _type_sizes(rng: np.random.Generator, types: int, n_cells: int) -> NDArray[np.int64]:
    spare = max(0, n_cells - CELLS_PER_TYPE * types)
    return CELLS_PER_TYPE + rng.multinomial(spare, rng.dirichlet(np.full(types, 2.0)))


def _drawn(
    rng: np.random.Generator, profile: NDArray[np.float64], depth: NDArray[np.float64]
) -> sparse.csr_matrix:
    noise = rng.gamma(1 / _DISPERSION, _DISPERSION, profile.shape)
    return sparse.csr_matrix(rng.poisson(depth[:, None] * profile * noise).astype(np.int32))
