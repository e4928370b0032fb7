"""Draw the nuclei of every patch, with their classes, straight at the scale."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd

from sthelar_build.config import RasteriseSettings
from sthelar_build.core.strips import Nuclei, Visible, draw_strip
from sthelar_build.errors import InputError
from sthelar_build.io.atomic import published
from sthelar_build.io.masks import MasksWriter
from sthelar_build.io.progress import progress
from sthelar_build.io.provenance import provenance
from sthelar_build.io.tables import read_attributes, read_table
from sthelar_build.io.transform import read_transform
from sthelar_build.io.workers import map_threads
from sthelar_build.options import InFile, OutFile, Threads, as_json
from sthelar_build.schema.frames import PointMap
from sthelar_build.schema.labels import CLASSES, PATCH_CLASSES, patch_class_index
from sthelar_build.schema.tables import LABELS, NUCLEI, PATCHES

logger = logging.getLogger(__name__)


def run(
    nuclei: InFile,
    labels: InFile,
    transform: InFile,
    patches: InFile,
    masks: OutFile,
    settings: Annotated[RasteriseSettings, as_json(RasteriseSettings)],
    threads: Threads = 1,
) -> None:
    """Rasterise the nuclei of a slide into one instance map per patch."""
    grid = read_attributes(patches)
    table = read_table(patches, PATCHES, ["grid_row", "x_px", "y_px", "complete"])
    drawn = _nuclei(nuclei, labels, read_transform(transform).um_to_he, grid["downsample"])
    inputs = {"nuclei": nuclei, "labels": labels, "transform": transform, "patches": patches}
    source = provenance("rasterise", settings, inputs)
    rows, columns, side_px = grid["rows"], grid["columns"], grid["side_px"]
    lefts = [table[(table.grid_row == row) & table.complete] for row in range(rows)]
    with (
        published(masks) as draft,
        MasksWriter(draft, rows, columns, side_px, source) as writer,
    ):
        draw = partial(_draw_row, drawn, writer, side_px, settings.min_visible_px)
        drawings = map_threads(draw, ((row, lefts[row]) for row in range(rows)), threads)
        counts = _written(progress(drawings, "rows of patches", rows), writer, columns)
        writer.finish({"um_per_px": grid["um_per_px"], "scale": grid["scale"], **counts})
    _log(counts, len(drawn.nucleus_id), int(table.complete.sum()), len(table))


def _nuclei(nuclei: Path, labels: Path, um_to_he: PointMap, downsample: float) -> Nuclei:
    frame = read_table(nuclei, NUCLEI, ["nucleus_id", "cell_id", "geometry"])
    classes = _class_of_cell(labels).reindex(frame.cell_id)
    if classes.isna().any():
        raise InputError(
            f"{nuclei}: expected a label in {labels} for every cell, found none for "
            f"{classes.isna().sum()} nuclei, the first of cell {classes.index[classes.isna()][0]}; "
            "use tables of one run"
        )
    return Nuclei.of(
        frame.geometry.to_numpy(),
        frame.nucleus_id.to_numpy(np.uint32),
        np.asarray(classes, dtype=np.uint8),
        um_to_he,
        downsample,
    )


def _class_of_cell(labels: Path) -> pd.Series[int]:
    """Return the published class index by cell_id."""
    table = read_table(labels, LABELS, ["cell_id", "final_label"])
    unknown = sorted(set(table.final_label) - {known.name for known in CLASSES})
    if unknown:
        raise InputError(
            f"{labels}: expected in final_label the classes of schema/labels.csv, found {unknown[0]!r}; "
            "correct the curation and run refine again"
        )
    return pd.Series(table.final_label.map(patch_class_index).to_numpy(), index=table.cell_id)


def _draw_row(
    nuclei: Nuclei,
    writer: MasksWriter,
    side_px: int,
    min_visible_px: int,
    row_and_patches: tuple[int, pd.DataFrame],
) -> tuple[int, Visible, int]:
    """Draw a row of the grid and write its maps; return what is visible, and how many slivers are not."""
    row, patches = row_and_patches
    lefts = patches.x_px.to_numpy()
    top = int(patches.y_px.iloc[0]) if len(patches) else 0
    maps, visible, n_slivers = draw_strip(nuclei, lefts, top, side_px, min_visible_px)
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
