"""An independent label transfer: multinomial logistic regression on the atlas's cells.

The model is that of CellTypist (Dominguez Conde et al. 2022): log-normalised expression, brought to unit variance per
gene and clipped, an L2-penalised logistic regression over all labels. What differs: a slide has a tenth of an atlas's
counts per cell, so the model learns from cells that are drawn anew at the depths of the slide; and every label weighs
the same, as the composition of an atlas is not that of a slide.
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sthelar_build.core.atlas.reference import Reference
from sthelar_build.core.atlas.sampling import stratified_rows
from sthelar_build.core.normalise import GeneScale, log_normalise, row_blocks, row_sums
from sthelar_build.core.transfer import Transfer

logger = logging.getLogger(__name__)

_FEWEST_LABELS = 2
_MOST_STEPS = 300
_STRENGTH = 0.1
"""Inverse of the penalty (scikit-learn's C). On simulated slides accuracy is the same from 0.005 to 0.5; less makes the
probabilities too small, more leaves nothing in hand for an atlas that differs from the slide."""


@dataclass(frozen=True)
class TransferRecipe:
    """How to learn; see ``AnnotateSettings``."""

    transfer_cells_per_label: int
    seed: int


def transfer_labels(
    counts: sp.csr_matrix, reference: Reference, recipe: TransferRecipe
) -> Transfer:
    """Return the most probable label of every row, and its probability.

    Parameters
    ----------
    counts
        (objects, shared genes) raw counts of the slide, genes as in the reference. Rows without a count get no opinion;
        none gets one where the slide is so shallow that fewer than two labels can be learnt at its depths.
    reference
        The cells to learn from; at least two labels.
    recipe
        How many of them, and the seed.

    Notes
    -----
    One thread, so that sums are made in one order: the result does not depend on the number of cores.
    """
    depths = row_sums(counts)
    seen = depths > 0
    labels = np.full(len(depths), None, dtype=object)
    probabilities = np.full(len(depths), np.nan, dtype=np.float32)
    if not seen.any():
        return Transfer(labels, probabilities)
    # Sorted, so that the order of the objects plays no part in what is drawn.
    cells, codes = _examples(reference, np.sort(depths[seen]), recipe)
    if len(np.unique(codes)) < _FEWEST_LABELS:
        logger.warning(
            "label transfer: no opinion, as the slide is too shallow to learn labels at its depths"
        )
    else:
        with threadpool_limits(1):
            found, best = _predict(counts[seen], *_learn(cells, codes))
        labels[seen] = np.array(reference.labels, dtype=object)[found]
        probabilities[seen] = best
    return Transfer(labels, probabilities)


def _examples(
    reference: Reference, depths: NDArray[np.float64], recipe: TransferRecipe
) -> tuple[sp.csr_matrix, NDArray[np.integer]]:
    """Return cells of the reference, drawn at these depths, and the numbers of their labels."""
    rows = stratified_rows(reference.codes, recipe.transfer_cells_per_label, recipe.seed)
    cells = redrawn(reference.counts[rows], depths, recipe.seed)
    told = row_sums(cells) > 0
    return cells[told], reference.codes[rows][told]


def _learn(cells: sp.csr_matrix, codes: NDArray[np.integer]) -> tuple[GeneScale, Any]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    scale = GeneScale.of(cells)
    model = LogisticRegression(C=_STRENGTH, max_iter=_MOST_STEPS, class_weight="balanced")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(scale(log_normalise(cells)), codes)
    logger.info(
        "label transfer: learnt %d labels from %d cells of the reference in %d steps%s",
        len(model.classes_),
        len(codes),
        model.n_iter_.max(),
        "" if model.n_iter_.max() < _MOST_STEPS else ", the most it may take",
    )
    return scale, model


def redrawn(cells: sp.csr_matrix, depths: NDArray[np.float64], seed: int) -> sp.csr_matrix:
    """Return counts of the same cells (cells, genes), each drawn anew at the depth of a random one of ``depths``.

    Gene by gene from a Poisson distribution whose mean is the cell's share of that gene times the depth. Cells
    without expression stay empty.
    """
    rng = np.random.default_rng(seed)
    wanted, totals = rng.choice(depths, size=cells.shape[0]), row_sums(cells)
    factors = np.divide(wanted, totals, out=np.zeros_like(totals), where=totals > 0)
    drawn = sp.csr_matrix(cells, dtype=np.float64, copy=True)
    drawn.sort_indices()
    drawn.data *= np.repeat(factors, np.diff(drawn.indptr))
    drawn.data = rng.poisson(drawn.data).astype(np.float64)
    drawn.eliminate_zeros()
    return drawn.astype(np.float32)


def _predict(
    counts: sp.csr_matrix, scale: GeneScale, model: Any
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    codes = np.empty(counts.shape[0], dtype=np.intp)
    best = np.empty(counts.shape[0], dtype=np.float32)
    for rows in row_blocks(counts.shape[0]):
        shares = model.predict_proba(scale(log_normalise(counts[rows])))
        codes[rows], best[rows] = model.classes_[shares.argmax(axis=1)], shares.max(axis=1)
    return codes, best
