"""What the compiled passes take and leave: arrays with a meaning, in tuples that numba knows."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Doubles: TypeAlias = NDArray[np.float64]

FIRST_BETA, SECOND_BETA = 0.9, 0.999
"""Decay of Adam's momenta; torch's default."""


class Counts(NamedTuple):
    """Counts as CSR."""

    starts: NDArray[np.int64]
    genes: NDArray[np.int32]
    values: Floats


class State(NamedTuple):
    """What Adam moves: all (cells, labels)."""

    logits: Floats
    mean: Floats
    variance: Floats


class Softmax(NamedTuple):
    """P = exp(M - shift) * scale; all (1, labels). A label that only fills up the row has scale 0."""

    shift: Floats
    scale: Floats
    log_scale: Floats


class Pulls(NamedTuple):
    """The small parts of the derivative, as :class:`objective.Slopes` has them, and the entropy's weight."""

    pull: Floats
    shrink: Floats
    column_sums: Floats
    entropy: np.float32


class CellParts(NamedTuple):
    """What the cells' own terms need and leave: the derivative by P has ``-density w - toward + along B P``."""

    label_density: Floats
    """(1, labels): w."""
    density: Floats
    """(cells,): lambda_d d / (P w)."""
    similarity: Floats
    """(cells, labels): G S' over the norm of the cell; no row if the cells' cosines have no weight."""
    profile_gram: Floats
    """B = S S'."""
    toward: Floats
    """(cells,): weight of the similarity."""
    along: Floats
    """(cells,): weight of B P."""


class CellTarget(NamedTuple):
    """What the cells' own terms aim at."""

    density: Floats
    """(cells,): d."""
    density_weight: np.float32
    """lambda_d."""
    cosine_weight: np.float32
    """lambda_g2 over the number of cells."""


class Move(NamedTuple):
    """A step of Adam; ``rate`` 0 stays."""

    rate: np.float32
    """Step size over the correction of the mean."""
    correction: np.float32
    """One over the square root of that of the variance."""
    epsilon: np.float32


class Sums(NamedTuple):
    """What a pass adds up, of exp(M - shift), over all cells."""

    total: Doubles
    """(1, labels)."""
    logs: Doubles
    """(1, labels): times M - shift."""
    counts: Doubles
    """(genes, labels)."""
    gram: Doubles
    """(labels, labels)."""


class PartSums(NamedTuple):
    """The same over some cells."""

    total: Floats
    logs: Floats
    counts: Floats
    gram: Floats
