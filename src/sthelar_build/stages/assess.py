"""Compare the masks with the nuclei segmented in the image, patch by patch."""

from __future__ import annotations

import logging
import math
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd

from sthelar_build.core.agreement import agreement
from sthelar_build.core.displacement import displacement_um
from sthelar_build.core.spread_sample import fullest_patches
from sthelar_build.core.wording import number, tally
from sthelar_build.io.atomic import published_together
from sthelar_build.io.compared_patches import ComparedPatch, open_compared
from sthelar_build.io.displacement_curves import (
    MASKS,
    PREDICTIONS,
    Curves,
    displacement_curves,
    displacement_table,
)
from sthelar_build.io.original_evaluation import write_original_evaluation
from sthelar_build.io.progress import progress
from sthelar_build.io.provenance import provenance
from sthelar_build.io.tables import read_table, write_table
from sthelar_build.io.workers import map_processes
from sthelar_build.options import InFile, MaybeOutFile, OutFile, Threads, Word, as_json
from sthelar_build.schema.tables import DISPLACEMENT, METRIC_NAMES, METRICS, PATCHES
from sthelar_build.schema.words import NO_BACKGROUND, NO_NUCLEUS, OUTSIDE
from sthelar_build.settings.assess import AssessSettings

logger = logging.getLogger(__name__)

_BATCH = 256

Row = dict[str, Any]


def run(
    masks: InFile,
    patches: InFile,
    predictions: InFile,
    tissue: Word,
    metrics: OutFile,
    displacement: OutFile,
    settings: Annotated[AssessSettings, as_json(AssessSettings)],
    inference_results: MaybeOutFile = None,
    threads: Threads = 1,
) -> None:
    """Measure Dice, Jaccard and bPQ of every patch, and what they fall to when the masks are displaced."""
    grid = read_table(patches, PATCHES, ["patch_id", "grid_row"])
    folders = masks.parent, predictions.parent
    compared = open_compared(*folders)
    starts = [*range(0, len(grid), _BATCH), len(grid)]
    batches = map_processes(partial(_score, *folders), list(pairwise(starts)), threads)
    shown = progress(batches, "batches assessed", len(starts) - 1)
    table = pd.DataFrame([row for batch in shown for row in batch], columns=METRICS.names)
    inputs = {"masks": masks, "patches": patches, "predictions": predictions}
    source = provenance("assess", settings, inputs)
    by = {"segmented_by": compared.predictions.segmented_by}
    _log(table)

    scored = table["Jaccard"].notna()
    content = table["n_true"].where(scored, 0).to_numpy().reshape(grid["grid_row"].nunique(), -1)
    sample = fullest_patches(content, settings.displaced_patches)
    curves = displacement_curves(*folders, sample.tolist(), threads)
    meaning = _meaning(curves, table["Jaccard"], len(sample))
    with published_together(metrics, displacement) as drafts:
        write_table(drafts[0], table, METRICS, source, by)
        write_table(drafts[1], displacement_table(curves), DISPLACEMENT, source, meaning)
    _log_meaning(curves, meaning)
    if inference_results:
        slide, wanted = patches.parent.name, table["patch_id"][scored].tolist()
        write_original_evaluation(inference_results, compared, wanted, slide, tissue)


def _score(masks: Path, predictions: Path, start_stop: tuple[int, int]) -> list[Row]:
    compared = open_compared(masks, predictions)
    start, stop = start_stop
    reasons = compared.predictions.patches["reason"].iloc[start:stop]
    pairs = zip(compared.each_between(start, stop), reasons, strict=True)
    return [_row(patch, reason) for patch, reason in pairs]


def _row(patch: ComparedPatch, not_segmented: str | None) -> Row:
    """Return the metrics of a patch, or why it has none: without a nucleus there is nothing to measure."""
    n_true = int(np.count_nonzero(np.unique(patch.true)))
    if not_segmented == OUTSIDE:
        return _missing(patch.patch_id, OUTSIDE)
    if not_segmented:
        return _missing(patch.patch_id, not_segmented if n_true else NO_NUCLEUS, n_true)
    if not n_true:
        n_predicted = int(np.count_nonzero(np.unique(patch.counted)))
        return _missing(patch.patch_id, NO_NUCLEUS, n_predicted=n_predicted)
    found = agreement(patch.true, patch.counted, patch.foreground)
    return {
        "patch_id": patch.patch_id,
        "Dice": found.dice,
        "Jaccard": found.jaccard,
        "bPQ": None if math.isnan(found.bpq) else found.bpq,
        "n_true": n_true,
        "n_predicted": found.n_predicted,
        "reason": NO_BACKGROUND if math.isnan(found.bpq) else None,
    }


def _missing(patch_id: int, reason: str, n_true: int = 0, n_predicted: int = 0) -> Row:
    scores = dict.fromkeys(METRIC_NAMES)
    counts = {"n_true": n_true, "n_predicted": n_predicted}
    return {"patch_id": patch_id, **scores, **counts, "reason": reason}


def _meaning(curves: Curves, jaccard: pd.Series, n_patches: int) -> dict[str, Any]:
    """Return what the slide's Jaccard is worth in um: where masks displaced against themselves have as much."""
    median = None if jaccard.isna().all() else float(jaccard.median())
    worth = displacement_um(curves[MASKS], "jaccard", median) if curves and median else None
    return {"n_patches": n_patches, "median_jaccard": median, "worth_um": worth}


def _log(table: pd.DataFrame) -> None:
    scored = table.Jaccard.notna()
    others = tally(table.reason[~scored])
    logger.info("scored %d of %d patches; the others: %s", scored.sum(), len(table), others)
    if scored.any():
        medians = table.loc[scored, list(METRIC_NAMES)].median()
        logger.info("median Dice %.3f, Jaccard %.3f, bPQ %.3f", *medians)


def _log_meaning(curves: Curves, meaning: dict[str, Any]) -> None:
    if not curves:
        return
    fall = ", ".join(
        f"{number(row.metrics.jaccard, 3)} at {row.distance_um:g} um" for row in curves[PREDICTIONS]
    )
    logger.info("mean Jaccard of %d patches, masks displaced: %s", meaning["n_patches"], fall)
    if meaning["worth_um"] is not None:
        logger.info(
            "the median Jaccard of %.3f is that of flawless outlines about %.1f um apart: what the segmentation, "
            "the outlines and the registration differ by, all together",
            meaning["median_jaccard"],
            meaning["worth_um"],
        )
