"""Which patches an epoch shows, in which batches: rare tissues and classes more often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sthelar_build.adapters.cellvit_training.augmentation import view_side_px
from sthelar_build.io.cellvit_export import Export

Weights = NDArray[np.float64]


class Draw(NamedTuple):
    """One view of one patch; all that decides how it looks."""

    patch: int
    """Position in the list of patches."""
    side_px: int
    seed: tuple[int, int, int]
    """Seed of the run, epoch, position in the epoch."""


def sampling_weights(exports: Sequence[Export], split: str, gamma: float) -> Weights:
    """Return how likely every patch of a split is to be drawn, relative to the others, export by export.

    Hörst et al. 2024, section 3.4: the weight of the tissue and that of the classes of a patch, each divided by its largest, are
    added. With T patches of the tissue among N, the first is N / (gamma T + (1 - gamma) N); the second is
    1 - gamma + gamma sum(K / k_c) over the classes c that the patch shows, k_c the patches that show c, K their sum. gamma 0:
    all alike; 1: in full proportion to rarity.
    """
    tissues = np.concatenate([_tissues(export, split) for export in exports])
    shown = np.concatenate([export.counts[split].to_numpy() > 0 for export in exports])
    of_tissue = len(tissues) / (gamma * np.bincount(tissues)[tissues] + (1 - gamma) * len(tissues))
    patches = shown.sum(axis=0)
    rarity = np.divide(patches.sum(), patches, out=np.zeros(len(patches)), where=patches > 0)
    of_classes = 1 - gamma + gamma * (shown @ rarity)
    return np.asarray(of_tissue / of_tissue.max() + of_classes / of_classes.max())


def _tissues(export: Export, split: str) -> NDArray[np.int64]:
    return np.array([export.tissue(name) for name in export.names(split)], dtype=np.int64)


def epoch_batches(
    weights: Weights,
    n_draws: int,
    batch_size: int,
    side_px: int,
    zoom: float,
    seed: int,
    epoch: int,
) -> list[list[Draw]]:
    """Return the batches of an epoch; equal arguments give equal batches.

    Equal weights draw every patch as often as any other (within one), in random order; else the draws are
    independent. The views of a batch have one size, between ``zoom`` and 1 of the patch. What does not fill a batch is left
    out: batch normalisation has to see enough.
    """
    rng = np.random.default_rng((seed, epoch))
    if np.ptp(weights) == 0:
        rounds = [rng.permutation(len(weights)) for _ in range(-(-n_draws // len(weights)))]
        picked = np.concatenate(rounds)[:n_draws]
    else:
        picked = rng.choice(len(weights), n_draws, p=weights / weights.sum())
    batches = []
    for start in range(0, max(n_draws - batch_size, 0) + 1, batch_size):
        side = view_side_px(side_px, zoom, rng) if zoom < 1 else side_px
        batches.append(
            [
                Draw(int(patch), side, (seed, epoch, start + at))
                for at, patch in enumerate(picked[start : start + batch_size])
            ]
        )
    return batches
