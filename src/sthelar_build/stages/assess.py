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

from sthelar_build.config import AssessSettings
from sthelar_build.core.agreement import agreement
from sthelar_build.core.wording import tally
from sthelar_build.io.instance_maps import open_instance_maps
from sthelar_build.io.masks import open_masks
from sthelar_build.io.progress import progress
from sthelar_build.io.provenance import provenance
from sthelar_build.io.tables import read_table, write_table
from sthelar_build.io.workers import map_processes
from sthelar_build.options import InFile, OutFile, Threads, as_json
from sthelar_build.schema.tables import METRIC_NAMES, METRICS, PATCHES
from sthelar_build.schema.words import NO_BACKGROUND, NO_NUCLEUS, NOT_RUN, OUTSIDE

logger = logging.getLogger(__name__)

_BATCH = 256
_BATCHES_PER_THREAD = 8
"""A batch lists all that the predictions hold, seconds for a large slide: so there are few."""

Row = dict[str, Any]


def run(
    masks: InFile,
    patches: InFile,
    predictions: InFile,
    metrics: OutFile,
    settings: Annotated[AssessSettings, as_json(AssessSettings)],
    threads: Threads = 1,
) -> None:
    """Measure Dice, Jaccard and bPQ of every patch; missing is null, with a reason."""
    grid = read_table(patches, PATCHES, ["patch_id", "complete"])
    size = max(_BATCH, math.ceil(len(grid) / (threads * _BATCHES_PER_THREAD)))
    starts = [*range(0, len(grid), size), len(grid)]
    score = partial(_score, masks.parent, predictions, grid.complete.to_numpy())
    batches = map_processes(score, list(pairwise(starts)), threads)
    rows = [
        row for batch in progress(batches, "batches assessed", len(starts) - 1) for row in batch
    ]
    table = pd.DataFrame(rows, columns=METRICS.names)
    inputs = {"masks": masks, "patches": patches, "predictions": predictions}
    write_table(metrics, table, METRICS, provenance("assess", settings, inputs))
    _log(table)


def _score(
    folder: Path, predictions: Path, complete: Any, start_stop: tuple[int, int]
) -> list[Row]:
    start, stop = start_stop
    masks = open_masks(folder)
    rows = []
    with open_instance_maps(predictions) as maps:
        for patch_id, true in enumerate(masks.each_between(start, stop), start):
            if not complete[patch_id]:
                rows.append(_missing(patch_id, OUTSIDE))
                continue
            predicted = maps.read(patch_id, masks.side_px).dense() if patch_id in maps else None
            rows.append(_row(patch_id, true, predicted))
    return rows


def _row(patch_id: int, true: Any, predicted: Any) -> Row:
    n_true = int(np.count_nonzero(np.unique(true)))
    if predicted is None:
        return _missing(patch_id, NOT_RUN if n_true else NO_NUCLEUS, n_true)
    if not n_true:
        n_predicted = int(np.count_nonzero(np.unique(predicted)))
        return _missing(patch_id, NO_NUCLEUS, n_predicted=n_predicted)
    found = agreement(true, predicted)
    return {
        "patch_id": patch_id,
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


def _log(table: pd.DataFrame) -> None:
    scored = table.Jaccard.notna()
    others = tally(table.reason[~scored])
    logger.info("scored %d of %d patches; the others: %s", scored.sum(), len(table), others)
    if scored.any():
        medians = table.loc[scored, list(METRIC_NAMES)].median()
        logger.info("median Dice %.3f, Jaccard %.3f, bPQ %.3f", *medians)
