"""How the metrics of a slide fall when its masks are displaced."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from sthelar_build.core.displacement import Displaced, DisplacementCurve
from sthelar_build.io.compared_patches import open_compared
from sthelar_build.io.tables import read_attributes, read_table
from sthelar_build.io.workers import map_processes
from sthelar_build.schema.tables import DISPLACEMENT, METRIC_NAMES

PREDICTIONS, MASKS = "predictions", "masks"
"""What displaced masks are compared with: the predictions, or themselves in place, as a segmentation without any error."""


@dataclass(frozen=True)
class ShownCurves:
    """What a page shows of both curves."""

    n_patches: int
    median_jaccard: float
    """Of the slide."""
    worth_um: float | None
    """Displacement at which masks agree as much with themselves; None where there is none."""
    rows: list[tuple[float, float | None, float | None]]
    """Displacement in um, mean Jaccard with the predictions, and of the masks with themselves."""


Curves = dict[str, list[Displaced]]


def displacement_curves(
    masks: Path, predictions: Path, patch_ids: Sequence[int], threads: int
) -> Curves:
    """Measure both curves on some patches; empty without patches."""
    if not len(patch_ids):
        return {}
    measure = partial(_curve, masks, predictions, list(patch_ids))
    both = (PREDICTIONS, MASKS)
    curves = map_processes(measure, both, min(threads, len(both)))
    return dict(zip(both, curves, strict=True))


def displacement_table(curves: Curves) -> pd.DataFrame:
    """Return the rows of DISPLACEMENT; what is not defined is null."""
    rows = [
        {
            "compared_with": against,
            "displacement_um": row.distance_um,
            "moved_um": row.moved_um,
            "n_windows": row.n_windows,
            **dict(zip(METRIC_NAMES, map(_known, row.metrics), strict=True)),
            **dict(
                zip((f"{n}_in_place" for n in METRIC_NAMES), map(_known, row.in_place), strict=True)
            ),
        }
        for against, curve in curves.items()
        for row in curve
    ]
    return pd.DataFrame(rows, columns=DISPLACEMENT.names)


def shown_curves(path: Path) -> ShownCurves | None:
    """Return what a table of DISPLACEMENT tells; None where nothing was measured."""
    table, facts = read_table(path, DISPLACEMENT), read_attributes(path)
    if table.empty:
        return None
    jaccard = table.pivot(index="displacement_um", columns="compared_with", values="Jaccard")
    columns = [[_known(float(value)) for value in jaccard[of]] for of in (PREDICTIONS, MASKS)]
    rows = list(zip(jaccard.index.tolist(), *columns, strict=True))
    return ShownCurves(rows=rows, **facts)


def _curve(
    masks: Path, predictions: Path, patch_ids: Sequence[int], against: str
) -> list[Displaced]:
    compared = open_compared(masks, predictions)
    curve = DisplacementCurve(float(compared.masks.manifest["um_per_px"]))
    for patch_id in patch_ids:
        patch = compared.patch(patch_id)
        if against == MASKS:
            curve.add(patch.true, patch.true)
        else:
            curve.add(patch.true, patch.counted, patch.foreground)
    return curve.rows()


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
