"""Splits that an earlier run has made: their content hash, whether they fit, and what they say of every patch."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.splits import SPLIT_NAMES, Splits
from sthelar_build.schema.words import FROZEN, GUARD

_KEY = ["slide", "patch_id"]


def content_hash(splits: pd.DataFrame) -> str:
    """Return the SHA-256 of who is in which split.

    It is taken over the lines ``slide, patch_id, split`` (tabs between them; no split is empty), by slide and patch_id. The
    order of the rows, and all else that a file may hold, do not matter.
    """
    rows = splits[[*_KEY, "split"]].sort_values(_KEY, kind="stable")
    digest = hashlib.sha256()
    for slide, part in rows.groupby("slide", sort=True):
        names = part["split"].astype(object).where(part["split"].notna(), "")
        lines = [f"{slide}\t{n}\t{name}\n" for n, name in zip(part["patch_id"], names, strict=True)]
        digest.update("".join(lines).encode())
    return digest.hexdigest()


def misfit(splits: pd.DataFrame, table: pd.DataFrame) -> str | None:
    """Say in words why frozen splits are not those of these patches; None where every patch has one row.

    Both have ``slide`` and ``patch_id``; ``table`` has every patch of every slide.
    """
    if splits.duplicated(_KEY).any():
        return "patches that stand there twice"
    expected, found = (frame.groupby("slide").size() for frame in (table, splits))
    for slide in sorted({*expected.index, *found.index}):
        n, m = int(expected.get(slide, 0)), int(found.get(slide, 0))
        if n != m:
            return f"{m} of slide {slide} instead of {n}"
    strange = len(table) - len(table.merge(splits[_KEY], on=_KEY))
    return f"others: {strange} of {len(table)} have another number" if strange else None


def frozen_splits(splits: pd.DataFrame, kept: pd.DataFrame) -> tuple[Splits, NDArray[Any]]:
    """Look up the split of every row of ``kept``, and why it has none.

    ``splits`` are those of the earlier run and fit. A patch that was in a guard stays there; one that could be in no split
    then, but could be now, is ``frozen`` out. The reasons are None for patches in a split.
    """
    then = kept[_KEY].merge(splits, on=_KEY, how="left", validate="one_to_one")
    code = pd.Index(SPLIT_NAMES).get_indexer(pd.Index(then["split"])).astype(np.int8)
    reasons = np.where(then["reason"] == GUARD, GUARD, FROZEN).astype(object)
    reasons[code >= 0] = None
    return code, reasons
