"""A split for every patch of a dataset, by one of four strategies, and the audit of the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.splits import (
    SPLIT_NAMES,
    Splits,
    assign_at_random,
    assign_bands,
    assign_groups,
    patches_sharing_pixels,
    shared_between_splits,
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


@dataclass(frozen=True)
class LeakAudit:
    """What the splits of a dataset share."""

    patches_sharing_pixels: int
    """Patches that overlap a patch of another split."""
    shared_nuclei: int
    """Nuclei drawn in patches of more than one split."""
    shared_slides: int
    """Slides with patches in more than one split."""
    shared_patients: int
    """Patients with patches in more than one split."""

    def leaks(self, strategy: str) -> list[str]:
        """Return the names of what the strategy promises to keep apart, and did not."""
        promised = {
            PATIENT: [field.name for field in fields(self)],
            SLIDE: ["patches_sharing_pixels", "shared_nuclei", "shared_slides"],
            SPACE: ["patches_sharing_pixels", "shared_nuclei"],
            RANDOM: [],
        }
        return [name for name in promised[strategy] if getattr(self, name)]

    def refuse_leaks(self, strategy: str) -> None:
        """Raise RuntimeError if the strategy broke its promise: that is a mistake of ours."""
        leaks = [f"{name} {getattr(self, name)}" for name in self.leaks(strategy)]
        if leaks:
            raise RuntimeError(f"the splits by {strategy} leak: {', '.join(leaks)}")


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
        Amounts that groups share out evenly.
    side_px
        Side of a patch.
    nuclei
        ``patch_id``, ``nucleus_id`` by slide; may be read when asked.
    """
    if rule.strategy in (PATIENT, SLIDE):
        return plan_groups(table, rule.strategy, features, rule.shares, rule.seed)
    if rule.strategy == RANDOM:
        return plan_at_random(len(table), rule.shares, rule.seed)
    splits = np.full(len(table), -1, dtype=np.int8)
    for name, rows in table.groupby("slide", sort=True):
        splits[rows.index] = plan_bands(
            str(name), rows, side_px, nuclei[str(name)], rule.shares, rule.guard_px, rule.seed
        )
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
        One row per patch: the column ``group``, ``tissue``, and the columns ``features``.
    features
        Amounts to be shared out evenly, beside patches and patches of each tissue.

    Returns
    -------
    The split of every row.
    """
    amounts = table[list(features)].astype(np.float64).assign(patches=1.0)
    amounts = pd.concat([amounts, pd.get_dummies(table["tissue"], dtype=np.float64)], axis=1)
    per_group = amounts.groupby(table[group], sort=True).sum()
    splits = assign_groups(per_group.to_numpy(), shares, np.random.default_rng(seed))
    by_group = pd.Series(splits, index=per_group.index, dtype=np.int8)
    return np.asarray(table[group].map(by_group), dtype=np.int8)


def plan_bands(
    slide: str,
    table: pd.DataFrame,
    side_px: int,
    nuclei: pd.DataFrame,
    shares: Sequence[float],
    guard_px: int,
    seed: int,
) -> Splits:
    """Split the patches of one slide by space, no nucleus in two splits.

    ``table`` has ``patch_id``, ``x_px``, ``y_px``; ``nuclei`` has ``patch_id``, ``nucleus_id``. The order of bands depends on seed
    and slide name alone, so that a new slide leaves the others as they were.
    """
    rng = np.random.default_rng([seed, crc32(slide.encode())])
    x_px, y_px = table["x_px"].to_numpy(), table["y_px"].to_numpy()
    splits = assign_bands(x_px, y_px, side_px, shares, guard_px, rng)
    row, nucleus = _incidence(table, nuclei)
    return without_shared_nuclei(splits, row, nucleus)


def plan_at_random(n: int, shares: Sequence[float], seed: int) -> Splits:
    """Shuffle patches into splits, as the published ones were; leaks."""
    return assign_at_random(n, shares, np.random.default_rng(seed))


def audit(
    table: pd.DataFrame, splits: Splits, side_px: int, nuclei: Mapping[str, pd.DataFrame]
) -> LeakAudit:
    """Count exactly what the splits share.

    ``table`` has ``slide``, ``patient``, ``patch_id``, ``x_px``, ``y_px``; ``nuclei`` gives
    ``patch_id``, ``nucleus_id`` by slide, and may read them when asked.
    """
    pixels = shared = 0
    for slide, rows in table.groupby("slide", sort=True):
        mine = splits[table.index.get_indexer(rows.index)]
        x_px, y_px = rows["x_px"].to_numpy(), rows["y_px"].to_numpy()
        pixels += patches_sharing_pixels(x_px, y_px, side_px, mine)
        row, nucleus = _incidence(rows, nuclei[str(slide)])
        shared += shared_between_splits(mine[row], nucleus)
    slides = shared_between_splits(splits, table["slide"].to_numpy())
    patients = shared_between_splits(splits, table["patient"].to_numpy())
    return LeakAudit(pixels, shared, slides, patients)


def names_of(splits: Splits) -> NDArray[Any]:
    """Return train, valid, test, or None for every patch."""
    return np.array([*SPLIT_NAMES, None], dtype=object)[splits]


def _incidence(table: pd.DataFrame, nuclei: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return the row of ``table`` and the nucleus of every appearance in these patches."""
    row = pd.Index(table["patch_id"]).get_indexer(nuclei["patch_id"])
    inside = row >= 0
    return np.asarray(row[inside], dtype=np.int64), nuclei["nucleus_id"].to_numpy()[inside]
