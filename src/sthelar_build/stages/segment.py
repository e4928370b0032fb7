"""Find nuclei in the H&E patches, or take over the maps that someone else has predicted."""

from __future__ import annotations

import logging
from collections import defaultdict
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from sthelar_build.adapters.segmentation import Job, Method, open_method
from sthelar_build.core.predicted_maps import PredictedPatch
from sthelar_build.io.atomic import published
from sthelar_build.io.gathering import GRID_ROWS
from sthelar_build.io.he_blocks import Block, blocks
from sthelar_build.io.prediction_rows import PredictionRows, WrittenBlock
from sthelar_build.io.predictions import METHOD, write_instance_maps
from sthelar_build.io.progress import progress
from sthelar_build.io.provenance import provenance
from sthelar_build.io.scratch import remembered, resumable
from sthelar_build.io.stopwatch import Stopwatch
from sthelar_build.io.tables import read_attributes, read_table
from sthelar_build.options import (
    InFile,
    MaybeInFile,
    MaybeOutFile,
    OutFile,
    Threads,
    as_json,
    shard_of,
)
from sthelar_build.schema.tables import PATCHES
from sthelar_build.settings.segment import SegmentSettings

logger = logging.getLogger(__name__)

_MACHINE, _BATCH = ("device", "precision"), "batch_size"


def run(
    he: InFile,
    patches: InFile,
    predictions: OutFile,
    settings: Annotated[SegmentSettings, as_json(SegmentSettings)],
    instance_maps: MaybeOutFile = None,
    checkpoint: MaybeInFile = None,
    supplied: MaybeInFile = None,
    shard: Annotated[str, typer.Option(help="Part of the grid's rows, as 2/7.")] = "1/1",
    threads: Threads = 1,
) -> None:
    """Find the nuclei of a slide's patches, or of a shard of them; what a killed job has finished is not done again."""
    part = shard_of(shard)
    grid = read_attributes(patches)
    size = int(grid["side_px"]), float(grid["um_per_px"])
    job = Job(read_table(patches, PATCHES), *size, settings, threads, Stopwatch())
    grid_rows = part.rows(grid["rows"])
    inputs = {"he": he, "patches": patches, "checkpoint": checkpoint, "supplied": supplied}
    source = provenance("segment", settings, inputs)
    facts = _facts(grid, grid_rows)
    with (
        # The sheet gives no slide name to this stage; the folder of results is named after it.
        open_method(job, he, checkpoint, supplied, patches.parent.name) as method,
        resumable(predictions, {**source, GRID_ROWS: facts[GRID_ROWS]}) as scratch,
    ):
        rows = PredictionRows(scratch, (grid["rows"], grid["columns"], size[0]), source)
        facts |= {METHOD: method.name, **method.facts, "ran_on": _ran_on(scratch, method.predictor)}
        n_new = _segment(job, method, rows, grid_rows)
        with published(predictions) as draft:
            counts = rows.assemble(grid_rows, draft, facts)
            if instance_maps:
                with job.clock("published layout"):
                    write_instance_maps(draft, instance_maps)
    _log(method.name, counts, n_new, job.clock)


def _facts(grid: dict[str, Any], grid_rows: range) -> dict[str, Any]:
    of_grid = {name: grid.get(name) for name in ("side_px", "um_per_px", "scale")}
    n_patches = grid["rows"] * grid["columns"]
    return {**of_grid, "n_patches": n_patches, GRID_ROWS: [grid_rows.start, grid_rows.stop]}


def _ran_on(scratch: Path, predictor: Any) -> list[dict[str, Any]]:
    """Return the machines that the work was done on; on the same kind of machine, batches stay as they were."""
    if predictor is None:
        return []
    now = {name: str(getattr(predictor, name)) for name in _MACHINE}
    machines: list[dict[str, Any]] = remembered(scratch, "ran_on", [])
    same = [one for one in machines if one.items() >= now.items()]
    if not same:
        same = [{**now, _BATCH: predictor.batch_size}]
        machines = remembered(scratch, "ran_on", [*machines, *same], renew=True)
    predictor.batch_size = same[0][_BATCH]
    return machines


def _segment(job: Job, method: Method, rows: PredictionRows, grid_rows: range) -> int:
    """Finish the rows that are not; return the number of patches that this took."""
    unfinished = [row for row in grid_rows if not rows.is_finished(row)]
    n_done = len(grid_rows) - len(unfinished)
    if n_done:
        logger.info("%d of %d rows of patches were finished before", n_done, len(grid_rows))

    def keep(block: Block, found: list[PredictedPatch]) -> WrittenBlock:
        with job.clock("writing"):
            return rows.write_block(block.grid_row, block.chunk, found)

    mine = job.table[job.table.grid_row.isin(unfinished)]
    wanted = mine[method.reasons.loc[mine.patch_id].isna().to_numpy()]
    todo = list(blocks(wanted, job.side_px, rows.together))
    done = progress(method.each(todo, keep), "blocks of patches segmented", len(todo))
    reasons = _by_row(job.table, method.reasons)
    for row, written in groupby(done, lambda block: block.grid_row):
        rows.finish_row(row, list(written), reasons[row])
        unfinished.remove(row)
    for row in unfinished:
        rows.finish_row(row, [], reasons[row])
    return len(wanted)


def _by_row(table: pd.DataFrame, reasons: pd.Series) -> dict[int, dict[int, str | None]]:
    """Return the reasons of the patches of every row of the grid."""
    by_row: dict[int, dict[int, str | None]] = defaultdict(dict)
    for row, patch_id, reason in zip(table.grid_row, reasons.index, reasons, strict=True):
        by_row[row][patch_id] = reason
    return by_row


def _log(method: str, counts: dict[str, Any], n_new: int, clock: Stopwatch) -> None:
    left_out = ", ".join(f"{n} {reason}" for reason, n in counts["not_segmented"].items() if n)
    logger.info(
        "%s: %d nuclei in %d patches; not segmented: %s",
        method,
        counts["n_nuclei"],
        counts["n_segmented"],
        left_out or "none",
    )
    logger.info("time of each of %d patches, added up over threads: %s", n_new, clock.words(n_new))
