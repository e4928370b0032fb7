"""Counts of transcripts per cell and gene: gamma-Poisson around the programme of each cell's type."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.simulation.cell_types import cell_types
from sthelar_build.core.simulation.population import Population
from sthelar_build.core.simulation.programmes import Programmes

LOW_COUNT_MAX = 8
"""Cells planted as low-count have at most this many transcripts of genes."""
DISPERSION = 0.4
"""Of the negative binomial counts of one cell type: their variance is mean + 0.4 mean^2."""
_SIZE_CV = 0.35
_CELLS_AT_A_TIME = 2000


def cell_counts(
    rng: np.random.Generator,
    population: Population,
    programmes: Programmes,
    transcripts_per_cell: float,
    mixing: float,
) -> NDArray[np.int32]:
    """Draw transcripts per cell and gene, int32 (cells, genes).

    A cell's expectation is its type's profile (a mixed cell has ``mixing`` of a neighbour's) times
    ``transcripts_per_cell``, the size of its type, and a log-normal size of its own. Around it counts are
    negative binomial with dispersion 0.4.
    """
    cells = population.cells
    rows = programmes.rows(cells["fine_label"])
    partner = cells["mixed_with"].to_numpy()
    mixed = np.array([label is not None for label in partner])
    weight = np.where(mixed, mixing, 0.0)[:, None]
    other = rows.copy()
    other[mixed] = programmes.rows(partner[mixed])
    size = cell_types().loc[cells["fine_label"], "transcripts"].to_numpy() * transcripts_per_cell
    size = size * rng.lognormal(-(_SIZE_CV**2) / 2, _SIZE_CV, len(cells))
    size = np.where(cells["low_count"], 4.0, size)
    counts = np.empty((len(cells), len(programmes.genes)), dtype=np.int32)
    for start in range(0, len(cells), _CELLS_AT_A_TIME):
        part = slice(start, start + _CELLS_AT_A_TIME)
        profile = (1 - weight[part]) * programmes.profile[rows[part]]
        profile += weight[part] * programmes.profile[other[part]]
        noise = rng.gamma(1 / DISPERSION, DISPERSION, profile.shape)
        counts[part] = rng.poisson(size[part, None] * profile * noise)
    return counts
