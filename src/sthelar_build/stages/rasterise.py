"""Draw the nuclei of every patch, with their classes, straight at the scale."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from sthelar_build.core.raster import Ints
from sthelar_build.core.source_difference import (
    Tally,
    difference,
    difference_words,
    sampled_patches,
    tally,
)
from sthelar_build.core.strip_patches import Visible
from sthelar_build.core.wording import percent
from sthelar_build.errors import InputError
from sthelar_build.io.atomic import published
from sthelar_build.io.gathering import GRID_ROWS
from sthelar_build.io.masks import MasksWriter
from sthelar_build.io.nucleus_sources import POLYGONS, RASTER, Draw, Sources, nucleus_sources
from sthelar_build.io.placed_nuclei import PlacedNuclei, read_placed_nuclei
from sthelar_build.io.progress import progress
from sthelar_build.io.provenance import Provenance, provenance
from sthelar_build.io.tables import read_attributes, read_table
from sthelar_build.io.workers import map_threads
from sthelar_build.io.xenium.bundle import CELLS_ZARR
from sthelar_build.options import InFile, MaybeInFile, OutFile, Threads, as_json, shard_of
from sthelar_build.schema.labels import CLASSES, PATCH_CLASSES
from sthelar_build.schema.tables import PATCHES
from sthelar_build.schema.words import NO_NUCLEUS, NO_RASTER, NOT_RUN
from sthelar_build.settings.rasterise import RasteriseSettings

logger = logging.getLogger(__name__)

_NOT_COMPARED: dict[str, Any] = {"difference": None, "difference_reason": NOT_RUN}
_LEAST_IOU = 0.3
"""Below, the median nucleus of the raster is not that of the table: outlines are simplified, but not as much."""


def run(
    nuclei: InFile,
    labels: InFile,
    transform: InFile,
    patches: InFile,
    masks: OutFile,
    settings: Annotated[RasteriseSettings, as_json(RasteriseSettings)],
    xenium: MaybeInFile = None,
    shard: Annotated[str, typer.Option(help="Part of the grid's rows to draw, as 2/7.")] = "1/1",
    threads: Threads = 1,
) -> None:
    """Rasterise the nuclei of a slide, or of a shard of it, into one instance map per patch."""
    part = shard_of(shard)
    grid = read_attributes(patches)
    table = read_table(patches, PATCHES, ["grid_row", "x_px", "y_px", "complete"])
    placed = read_placed_nuclei(nuclei, labels, transform, grid["downsample"])
    wanted = {POLYGONS, RASTER} if settings.compared_patches and xenium else set()
    how = settings.source, wanted, grid["side_px"], settings.min_visible_px
    inputs = {"nuclei": nuclei, "labels": labels, "transform": transform, "patches": patches}
    with nucleus_sources(placed, xenium, *how) as sources:
        compared = _NOT_COMPARED
        if part.number == 1:
            sample = _sample(placed, table, grid, settings.compared_patches)
            compared = _compared(sources, wanted, sample, threads)
            _check(compared["difference"], placed, settings.source)
        store = {"cells_zarr": xenium / CELLS_ZARR} if xenium and RASTER in sources else {}
        origin = provenance("rasterise", settings, {**inputs, **store})
        facts = {"source": settings.source, **compared}
        rows = part.rows(grid["rows"])
        counts = _write(masks, table, grid, rows, sources[settings.source], facts, origin, threads)
    mine = table[table.grid_row.isin(rows)]
    _log(counts, len(placed), int(mine.complete.sum()), len(mine))


def _sample(placed: PlacedNuclei, patches: pd.DataFrame, grid: Mapping[str, Any], n: int) -> Ints:
    """Return the left and top edges (m, 2) of the patches on which sources are compared."""
    complete = patches["complete"].to_numpy(np.bool_).reshape(grid["rows"], grid["columns"])
    stride_px = grid["side_px"] - grid["overlap_px"]
    sample = sampled_patches(placed.centres_px, complete, stride_px, n)
    return np.asarray(patches[["x_px", "y_px"]].to_numpy(np.int64)[sample])


def _compared(sources: Sources, wanted: set[str], corners: Ints, threads: int) -> dict[str, Any]:
    """Compare the two sources on patches; None with the reason where that cannot be."""
    reason = NO_NUCLEUS if not len(corners) else NO_RASTER if wanted - set(sources) else None
    if not wanted:
        return _NOT_COMPARED
    if reason:
        return {"difference": None, "difference_reason": reason}
    found = difference(list(map_threads(partial(_tally, sources), corners, threads)))
    logger.info(difference_words(found))
    return {"difference": asdict(found), "difference_reason": None}


def _tally(sources: Sources, corner: Ints) -> Tally:
    lefts, top = corner[:1], int(corner[1])
    return tally(sources[POLYGONS](lefts, top)[0][0], sources[RASTER](lefts, top)[0][0])


def _check(found: Mapping[str, Any] | None, placed: PlacedNuclei, source: str) -> None:
    """Refuse a raster that shows other nuclei; where it is only compared with, warn."""
    if not found or not (found["n_common"] + found["n_polygons_only"] + found["n_raster_only"]):
        return
    shared = found["nucleus_iou_median"] or 0
    if shared >= _LEAST_IOU:
        return
    problem = (
        f"{placed.path}: expected the nuclei of the raster in {CELLS_ZARR}, found that the median outline shares "
        f"{percent(shared)} with it (IoU): it is of another segmentation"
    )
    if source == RASTER:
        raise InputError(f"{problem}; use rasterise.source: polygons")
    logger.warning(problem)


def _write(
    masks: Path,
    patches: pd.DataFrame,
    grid: Mapping[str, Any],
    rows: range,
    draw: Draw,
    facts: Mapping[str, Any],
    origin: Provenance,
    threads: int,
) -> dict[str, Any]:
    """Draw and write some rows of the grid; return what is counted."""
    columns = grid["columns"]
    by_row = ((row, patches[(patches.grid_row == row) & patches.complete]) for row in rows)
    with (
        published(masks) as draft,
        MasksWriter(draft, grid["rows"], columns, grid["side_px"], origin) as writer,
    ):
        drawings = map_threads(partial(_draw_row, draw, writer), by_row, threads)
        counts = _written(progress(drawings, "rows of patches", len(rows)), writer, columns)
        scale = {"um_per_px": grid["um_per_px"], "scale": grid["scale"]}
        writer.finish({**scale, GRID_ROWS: [rows.start, rows.stop], **facts, **counts})
    return counts


def _draw_row(
    draw: Draw, writer: MasksWriter, row_and_patches: tuple[int, pd.DataFrame]
) -> tuple[int, Visible, int]:
    """Draw a row of the grid and write its maps; return what is visible, and how many slivers are not."""
    row, patches = row_and_patches
    top = int(patches.y_px.iloc[0]) if len(patches) else 0
    maps, visible, n_slivers = draw(patches.x_px.to_numpy(), top)
    writer.write_maps(row, maps)
    return row, visible, n_slivers


def _written(
    drawings: Iterable[tuple[int, Visible, int]], writer: MasksWriter, columns: int
) -> dict[str, Any]:
    """Write the table as the rows come, and count."""
    n_slivers = n_instances = 0
    per_class = np.zeros(len(CLASSES) + 1, dtype=np.int64)
    for row, visible, slivers in drawings:
        first = np.uint32(row * columns)
        writer.write_table({**asdict(visible), "patch_id": visible.patch.astype(np.uint32) + first})
        per_class += np.bincount(visible.class_index, minlength=len(per_class))
        n_instances += len(visible.patch)
        n_slivers += slivers
    return {
        "n_instances": n_instances,
        "n_slivers": n_slivers,
        "instances_per_class": {c.name: int(per_class[c.index]) for c in PATCH_CLASSES},
    }


def _log(counts: dict[str, Any], n_nuclei: int, n_complete: int, n_patches: int) -> None:
    logger.info("drew %d of %d patches: the others overrun the image", n_complete, n_patches)
    drawn, slivers = counts["n_instances"], counts["n_slivers"]
    logger.info(
        "kept %d of %d appearances of %d nuclei: the others show too few pixels in their patch",
        drawn,
        drawn + slivers,
        n_nuclei,
    )
