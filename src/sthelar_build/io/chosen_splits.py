"""The splits of a run: planned afresh or frozen in an earlier one, and audited as they were written."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.frozen_splits import frozen_splits, misfit
from sthelar_build.core.leaks import LeakAudit, audit
from sthelar_build.core.split_plan import RANDOM, SplitRule, chosen_strategy, plan_splits
from sthelar_build.core.splits import SPLIT_NAMES, Splits
from sthelar_build.errors import InputError
from sthelar_build.io.splits import read_splits
from sthelar_build.schema.labels import PATCH_CLASS_NAMES
from sthelar_build.settings.collect import CollectSettings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class ChosenSplits:
    """The splits of the patches that can be in one."""

    strategy: str
    assigned: Splits
    unassigned: NDArray[Any] | None = None
    """Why a patch is in none; None says the guard."""
    file: Path | None = None
    """The frozen splits; None for new ones."""


def chosen_splits(
    settings: CollectSettings,
    scale: str,
    table: pd.DataFrame,
    kept: pd.DataFrame,
    side_px: int,
    nuclei: Mapping[str, pd.DataFrame],
) -> ChosenSplits:
    """Return the splits of the patches in ``kept``.

    Parameters
    ----------
    settings
        Name frozen splits, or say how to make new ones.
    scale
        Name of the scale.
    table
        Every patch of every slide: ``slide``, ``patch_id``.
    kept
        Those that can be in a split; as ``plan_splits`` takes them.
    side_px
        Side of a patch.
    nuclei
        ``patch_id``, ``nucleus_id`` by slide; read when asked.

    Raises
    ------
    InputError
        If frozen splits were changed, or are of other patches.
    """
    path = settings.frozen_splits_at(scale)
    chosen = (
        _frozen(path, scale, table, kept) if path else _planned(settings, kept, side_px, nuclei)
    )
    _log(chosen)
    return chosen


def audited(
    splits: pd.DataFrame,
    table: pd.DataFrame,
    side_px: int,
    nuclei: Mapping[str, pd.DataFrame],
    chosen: ChosenSplits,
) -> LeakAudit:
    """Look at the splits as they were written, and refuse what their strategy promises not to share.

    ``splits`` is what the file holds, ``table`` has ``slide``, ``patient``, ``patch_id``, ``x_px``, ``y_px`` of every patch.
    RuntimeError if new splits leak, which is a mistake of ours; InputError if frozen ones do.
    """
    places = table[["slide", "patient", "patch_id", "x_px", "y_px"]]
    found = audit(places.merge(splits, on=["slide", "patch_id"]), side_px, nuclei)
    logger.log(
        logging.WARNING if chosen.strategy == RANDOM else logging.INFO,
        "shared between splits: %s",
        ", ".join(f"{name} {n}" for name, n in asdict(found).items()),
    )
    leaks = found.leaks(chosen.strategy)
    if leaks and chosen.file:
        raise InputError(
            f"{chosen.file}: expected splits by {chosen.strategy} that keep apart what these masks show, found {leaks}; "
            "the masks are others than those they were made for: make new splits (collect.frozen_splits: null)"
        )
    if leaks:
        raise RuntimeError(f"the splits by {chosen.strategy} leak: {leaks}")
    return found


def _planned(
    settings: CollectSettings, kept: pd.DataFrame, side_px: int, nuclei: Mapping[str, pd.DataFrame]
) -> ChosenSplits:
    strategy = chosen_strategy(settings.strategy, kept.patient.nunique())
    rule = SplitRule(strategy, settings.shares, settings.guard_px, settings.seed)
    return ChosenSplits(strategy, plan_splits(kept, rule, PATCH_CLASS_NAMES, side_px, nuclei))


def _frozen(path: Path, scale: str, table: pd.DataFrame, kept: pd.DataFrame) -> ChosenSplits:
    splits, facts = read_splits(path)
    problem = misfit(splits, table)
    if problem:
        raise InputError(
            f"{path}: expected the patches of these slides at {scale}, found {problem}; freeze the splits of a run with "
            "the same slides and grid, or make new ones (collect.frozen_splits: null)"
        )
    assigned, unassigned = frozen_splits(splits, kept)
    lost = splits["split"].notna().sum() - (assigned >= 0).sum()
    logger.info(
        "%s: %d patches keep their split; %d are in none now", path, (assigned >= 0).sum(), lost
    )
    return ChosenSplits(str(facts["strategy"]), assigned, unassigned, path)


def _log(chosen: ChosenSplits) -> None:
    splits, strategy = chosen.assigned, chosen.strategy
    if strategy == RANDOM:
        logger.warning("patches are split at random: neighbours share pixels and nuclei")
    sizes = {name: int((splits == split).sum()) for split, name in enumerate(SPLIT_NAMES)}
    logger.info(
        "split by %s: %s; %d of %d in none",
        strategy,
        ", ".join(f"{n} {name}" for name, n in sizes.items()),
        len(splits) - sum(sizes.values()),
        len(splits),
    )
    for name, n in sizes.items():
        if not n:
            logger.warning("%s is empty: too few patches or groups to split by %s", name, strategy)
