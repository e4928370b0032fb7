"""A split for every patch of a dataset, by one of four strategies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.rare_classes import rarity_strata, sharing_weights
from sthelar_build.core.split_bands import assign_bands
from sthelar_build.core.split_groups import assign_groups
from sthelar_build.core.splits import (
    SPLIT_NAMES,
    Splits,
    assign_at_random,
    without_shared_nuclei,
)

AUTO, PATIENT, SLIDE, SPACE, RANDOM = "auto", "patient", "slide", "space", "random_leaky"
_LEAST_PATIENTS = 3


@dataclass(frozen=True)
class SplitRule:
    """How patches are shared out; see ``CollectSettings``."""

    strategy: str
    """patient, slide, space or random_leaky."""
    shares: Sequence[float]
    guard_px: int
    seed: int


def chosen_strategy(strategy: str, n_patients: int) -> str:
    """Return the strategy that ``auto`` stands for: patient from three patients on, else space."""
    if strategy != AUTO:
        return strategy
    return PATIENT if n_patients >= _LEAST_PATIENTS else SPACE


def plan_splits(
    table: pd.DataFrame,
    rule: SplitRule,
    features: Sequence[str],
    side_px: int,
    nuclei: Mapping[str, pd.DataFrame],
) -> Splits:
    """Return the split of every patch of a dataset.

    Parameters
    ----------
    table
        One row per patch, numbered from 0: ``slide``, ``patient``, ``tissue``, ``patch_id``, ``x_px``, ``y_px``, and
        the columns ``features``.
    rule
        Strategy, shares, guard and seed.
    features
        Nuclei of each class: every split gets its share, of the rarest class first.
    side_px
        Side of a patch.
    nuclei
        ``patch_id``, ``nucleus_id`` by slide; may be read when asked.
    """
    if rule.strategy in (PATIENT, SLIDE):
        return plan_groups(table, rule.strategy, features, rule.shares, rule.seed)
    if rule.strategy == RANDOM:
        return plan_at_random(table, features, rule.shares, rule.seed)
    splits = np.full(len(table), -1, dtype=np.int8)
    for name, rows in table.groupby("slide", sort=True):
        shown = nuclei[str(name)]
        splits[rows.index] = plan_bands(str(name), rows, features, side_px, shown, rule)
    return splits


def plan_groups(
    table: pd.DataFrame,
    group: str,
    features: Sequence[str],
    shares: Sequence[float],
    seed: int,
) -> Splits:
    """Give whole groups to splits.

    Parameters
    ----------
    table
        One row per patch: the column ``group``, ``tissue``, and the columns ``features``, nuclei of each class.
    features
        Classes to be shared out, the rarest first, beside patches and patches of each tissue.

    Returns
    -------
    The split of every row.
    """
    nuclei = table[list(features)].to_numpy()
    tissues = pd.get_dummies(table["tissue"], dtype=np.float64)
    amounts = table[list(features)].astype(np.float64).assign(patches=1.0)
    per_group = pd.concat([amounts, tissues], axis=1).groupby(table[group], sort=True).sum()
    tissue_weights = np.full(tissues.shape[1], 1 / max(1, tissues.shape[1]))
    weights = np.concatenate([sharing_weights(nuclei), [1.0], tissue_weights])
    rng = np.random.default_rng(seed)
    splits = assign_groups(per_group.to_numpy(), shares, rng, weights)
    by_group = pd.Series(splits, index=per_group.index, dtype=np.int8)
    return np.asarray(table[group].map(by_group), dtype=np.int8)


def plan_bands(
    slide: str,
    table: pd.DataFrame,
    features: Sequence[str],
    side_px: int,
    nuclei: pd.DataFrame,
    rule: SplitRule,
) -> Splits:
    """Split the patches of one slide by space, no nucleus in two splits.

    ``table`` has ``patch_id``, ``x_px``, ``y_px`` and ``features``; ``nuclei`` has ``patch_id``, ``nucleus_id``. What is drawn
    at random depends on seed and slide name alone, so that a new slide leaves the others as they were.
    """
    rng = np.random.default_rng([rule.seed, crc32(slide.encode())])
    counts = table[list(features)].to_numpy(dtype=np.float64)
    splits = assign_bands(
        table["x_px"].to_numpy(),
        table["y_px"].to_numpy(),
        side_px,
        rule.shares,
        rule.guard_px,
        rng,
        counts,
        sharing_weights(counts),
    )
    row = pd.Index(table["patch_id"]).get_indexer(nuclei["patch_id"])
    inside = row >= 0
    return without_shared_nuclei(splits, row[inside], nuclei["nucleus_id"].to_numpy()[inside])


def plan_at_random(
    table: pd.DataFrame, features: Sequence[str], shares: Sequence[float], seed: int
) -> Splits:
    """Shuffle patches into splits, as the published ones were: by tissue and by its rarest class; leaks."""
    strata = rarity_strata(table[list(features)].to_numpy(), table["tissue"].to_numpy())
    return assign_at_random(strata, shares, np.random.default_rng(seed))


def names_of(splits: Splits) -> NDArray[Any]:
    """Return train, valid, test, or None for every patch."""
    return np.array([*SPLIT_NAMES, None], dtype=object)[splits]
