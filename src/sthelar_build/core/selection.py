"""Which patches a dataset keeps, and why it leaves the others out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.schema.words import (
    BLURRED,
    BPQ,
    DICE,
    FEW_NUCLEI,
    JACCARD,
    LITTLE_TISSUE,
    OUTSIDE,
    REGISTRATION,
    UNCOVERED,
)

Interval = tuple[float, float] | None
"""Least and greatest value to keep, both included; None keeps all, missing values too."""


@dataclass(frozen=True)
class SelectionRule:
    """What a patch must show to be kept; see ``ExportSettings``."""

    min_nuclei: int = 0
    min_tissue: float = 0.0
    min_covered: float = 0.0
    max_blur_um: float | None = None
    dice: Interval = None
    jaccard: Interval = None
    bpq: Interval = None


def left_out(table: pd.DataFrame, gated: NDArray[np.bool_], rule: SelectionRule) -> NDArray[Any]:
    """Say why each patch is left out of a dataset.

    Parameters
    ----------
    table
        One row per patch: ``complete``, ``n_nuclei``, ``tissue_fraction``, ``covered_fraction``, ``blur_um``, ``Dice``,
        ``Jaccard``, ``bPQ``.
    gated
        Patches of slides whose registration failed.
    rule
        A patch without a value is outside every interval, and blurred if there is a limit; one
        without tissue has none that is not covered.

    Returns
    -------
    Object array of reasons, None for the patches that are kept. The first that holds, in this order: outside,
    registration, few_nuclei, little_tissue, uncovered, blurred, dice, jaccard, bpq.
    """
    blur = None if rule.max_blur_um is None else (0.0, rule.max_blur_um)
    checks = {
        OUTSIDE: ~table["complete"].to_numpy(dtype=bool),
        REGISTRATION: gated,
        FEW_NUCLEI: table["n_nuclei"].to_numpy() < rule.min_nuclei,
        LITTLE_TISSUE: table["tissue_fraction"].to_numpy() < rule.min_tissue,
        UNCOVERED: table["covered_fraction"].to_numpy() < rule.min_covered,
        BLURRED: _beyond(table["blur_um"], blur),
        DICE: _beyond(table["Dice"], rule.dice),
        JACCARD: _beyond(table["Jaccard"], rule.jaccard),
        BPQ: _beyond(table["bPQ"], rule.bpq),
    }
    reasons = np.full(len(table), None, dtype=object)
    for reason, fails in reversed(checks.items()):
        reasons[fails] = reason
    return reasons


def _beyond(values: pd.Series[Any], limits: Interval) -> NDArray[np.bool_]:
    if limits is None:
        return np.zeros(len(values), dtype=bool)
    found = values.to_numpy(dtype=np.float64)
    return ~((found >= limits[0]) & (found <= limits[1]))
