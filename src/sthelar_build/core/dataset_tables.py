"""The tables over all patches of a dataset: why a patch is in no split, and the published csv."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.split_plan import names_of
from sthelar_build.core.splits import Splits
from sthelar_build.schema.labels import PATCH_CLASS_NAMES
from sthelar_build.schema.tables import METRIC_NAMES, SPLITS
from sthelar_build.schema.words import GUARD, NO_NUCLEUS, OUTSIDE, REGISTRATION


def unsplittable(table: pd.DataFrame, gated: bool) -> NDArray[Any]:
    """Say why each patch of a slide can be in no split; None where it can.

    ``table`` has ``n_nuclei`` and ``complete``; ``gated`` says that the registration of the slide failed.
    """
    reasons = np.full(len(table), REGISTRATION if gated else None, dtype=object)
    if not gated:
        reasons[table.n_nuclei.to_numpy() == 0] = NO_NUCLEUS
    reasons[~table.complete.to_numpy()] = OUTSIDE
    return reasons


def splits_table(
    table: pd.DataFrame,
    kept: pd.DataFrame,
    assigned: Splits,
    unassigned: NDArray[Any] | None = None,
) -> pd.DataFrame:
    """Return ``splits.parquet``.

    ``table`` has every patch (``slide``, ``patch_id``, ``reason``), ``kept`` those without a reason, and
    ``assigned`` their splits. Why one of them is in none, ``unassigned`` says; by default it is in the guard.
    """
    key = ["slide", "patch_id"]
    why = GUARD if unassigned is None else unassigned
    names = kept[key].assign(split=names_of(assigned), why=why)
    joined = table[[*key, "reason"]].merge(names, on=key, how="left", validate="one_to_one")
    split = joined.split.astype(object).where(joined.split.notna(), None)
    reason = joined.reason.where(joined.reason.notna() | split.notna(), joined.why)
    reason = reason.astype(object).where(reason.notna(), None)
    result: pd.DataFrame = joined.assign(split=split, reason=reason)[SPLITS.names]
    return result


def csv_tables(kept: pd.DataFrame, side_px: int) -> dict[str, pd.DataFrame]:
    """Return the published tables by file name; bounds are in px of the scale, missing metrics NaN."""
    image = kept.slide + "_" + kept.patch_id.astype(str) + ".png"
    places = pd.DataFrame(
        {
            "slide_id": kept.slide,
            "patch_id": image,
            "xmin": kept.x_px,
            "ymin": kept.y_px,
            "xmax": kept.x_px + side_px,
            "ymax": kept.y_px + side_px,
        }
    )
    return {
        "patch_metrics.csv": places.join(kept[list(METRIC_NAMES)]),
        "cell_count.csv": kept[list(PATCH_CLASS_NAMES)].assign(Image=image)[
            ["Image", *PATCH_CLASS_NAMES]
        ],
        "types.csv": pd.DataFrame({"img": image, "type": kept.tissue}),
    }
