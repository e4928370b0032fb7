"""Cells with a known label, and the problem of placing the labels on them."""

import numpy as np
import scipy.sparse as sp

from sthelar_build.core.mapping.objective import Problem, Weights

EACH_TERM = {
    "genes": Weights(2.0, 0, 0, 0),
    "cells": Weights(1e-6, 1.5, 0, 0),
    "density": Weights(1e-6, 0, 0.7, 0),
    "entropy": Weights(1e-6, 0, 0, 0.01),
    "all": Weights(1.0, 0.5, 0.7, 0.003),
}
"""lambda_g1 cannot be 0, as tangram-sc divides by it."""


def labelled_cells(n_cells=400, n_genes=60, molecules=60, shares=(0.05, 0.35, 0.6, 0), seed=0):
    """Return counts, profiles (rows sum to 1) and the true label of every cell."""
    rng = np.random.default_rng(seed)
    profiles = rng.gamma(0.5, 1, (len(shares), n_genes)) + 0.01
    profiles /= profiles.sum(axis=1, keepdims=True)
    truth = rng.choice(len(shares), n_cells, p=shares)
    counts = rng.poisson(profiles[truth] * molecules)
    counts[:, 0] += 1
    return sp.csr_matrix(counts.astype(np.float32)), profiles, truth


def problem(weights=None, **cells):
    counts, profiles, _ = labelled_cells(**cells)
    seen = np.asarray(counts.sum(axis=0)).ravel() > 0
    totals = np.asarray(counts.sum(axis=1)).ravel()
    shares = np.arange(1.0, len(profiles) + 1)
    shares /= shares.sum()
    return Problem(
        profiles[:, seen] * shares[:, None] * len(totals),
        counts[:, seen],
        totals / totals.sum(),
        shares,
        weights or Weights(),
    )


def start_of(case, seed=0):
    shape = case.counts.shape[0], len(case.label_density)
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def dense_terms(case, logits):
    """Return mean cosine of genes and of cells, divergence and entropy, straight from their definitions."""
    placed = np.exp(logits - logits.max(axis=0))
    placed /= placed.sum(axis=0)
    predicted, counts = placed @ case.profiles, case.counts.toarray().astype(float)

    def cosine(axis):
        norms = np.linalg.norm(predicted, axis=axis) * np.linalg.norm(counts, axis=axis)
        return ((predicted * counts).sum(axis=axis) / norms).mean()

    density = case.cell_density
    divergence = np.sum(density * np.log(density / (placed @ case.label_density)))
    return cosine(0), cosine(1), divergence, -np.sum(placed * np.log(placed))
