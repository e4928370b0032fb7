"""Find nuclei in the H&E patches, or take over the maps that someone else has predicted."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.config import SegmentSettings
from sthelar_build.core.haematoxylin import NucleusRule, find_nuclei, smoothed, stain_threshold
from sthelar_build.core.stain import haematoxylin
from sthelar_build.errors import InputError
from sthelar_build.io.images.he import HeImage, open_he
from sthelar_build.io.instance_maps import SparseMap, instance_map_writer, open_instance_maps
from sthelar_build.io.progress import progress
from sthelar_build.io.provenance import provenance
from sthelar_build.io.tables import read_attributes, read_table
from sthelar_build.io.workers import batches, map_processes
from sthelar_build.options import InFile, MaybeInFile, OutFile, Threads, as_json
from sthelar_build.schema.tables import PATCHES

logger = logging.getLogger(__name__)

METHOD = "haematoxylin"
SUPPLIED = "supplied"

_BATCH = 64
_MIN_TISSUE = 0.1
_WORKER_CACHE_BYTES = 2**27
_PLACE = ["patch_id", "x_he_px", "y_he_px", "side_he_px"]
_COLUMNS = [*_PLACE, "complete", "tissue_fraction"]

Row = tuple[int, float, float, float]
"""Patch id, left and top edge and side in level-0 H&E pixels."""


def run(
    he: InFile,
    patches: InFile,
    predictions: OutFile,
    settings: Annotated[SegmentSettings, as_json(SegmentSettings)],
    supplied: MaybeInFile = None,
    threads: Threads = 1,
) -> None:
    """Write an instance map of nuclei for every complete patch."""
    grid = read_attributes(patches)
    table = read_table(patches, PATCHES, _COLUMNS)
    table = table[table.complete]
    source = provenance("segment", settings, {"he": he, "patches": patches, "supplied": supplied})
    if supplied:
        maps = _supplied(supplied, predictions, set(table.patch_id), grid)
        method = SUPPLIED
    else:
        maps = _segmented(he, table, grid, settings, threads)
        method = METHOD
    n_maps = n_nuclei = 0
    with instance_map_writer(predictions, source, method) as writer:
        for patch_id, instances in progress(maps, "patches segmented", len(table)):
            writer.write(patch_id, instances)
            n_maps += 1
            n_nuclei += len(np.unique(instances.data))
    logger.info("%s: %d nuclei in %d of %d complete patches", method, n_nuclei, n_maps, len(table))


def _supplied(
    supplied: Path, predictions: Path, complete: set[int], grid: dict[str, Any]
) -> Iterator[tuple[int, SparseMap]]:
    # The sheet gives no slide name to this stage; the folder of results is named after it.
    with open_instance_maps(supplied, predictions.parent.name) as maps:
        foreign = [n for n in maps.patch_ids if n >= grid["rows"] * grid["columns"]]
        if foreign:
            raise InputError(
                f"{supplied}: expected patches 0 to {grid['rows'] * grid['columns'] - 1}, found {foreign[0]}; "
                "predict on the patches of this slide and scale"
            )
        wanted = sorted(complete.intersection(maps.patch_ids))
        logger.info(
            "%s: kept %d of %d maps: the others are of patches that overrun the image",
            supplied,
            len(wanted),
            len(maps.patch_ids),
        )
        for patch_id in wanted:
            yield patch_id, maps.read(patch_id, grid["side_px"])


def _segmented(
    he: Path, table: pd.DataFrame, grid: dict[str, Any], settings: SegmentSettings, threads: int
) -> Iterator[tuple[int, SparseMap]]:
    rule = settings.part(NucleusRule)
    size = (int(grid["side_px"]), float(grid["um_per_px"]))
    threshold = _slide_threshold(he, table, size, rule, settings.sample_patches)
    segment = partial(_segment_batch, he, size, threshold, rule)
    rows = table[_PLACE].itertuples(index=False, name=None)
    for found in map_processes(segment, batches(rows, _BATCH), threads):
        yield from found


def _slide_threshold(
    he: Path, table: pd.DataFrame, size: tuple[int, float], rule: NucleusRule, n_patches: int
) -> float:
    """Return the Otsu threshold over patches evenly spread over the tissue."""
    if table.empty:
        return 0.0
    tissue = table[table.tissue_fraction >= min(_MIN_TISSUE, table.tissue_fraction.max())]
    picked = tissue.iloc[np.unique(np.linspace(0, len(tissue) - 1, n_patches).astype(int))]
    with open_he(he) as image:
        stain = [
            smoothed(_stain(image, row, size[0]), size[1], rule)[::4, ::4]
            for row in picked[_PLACE].itertuples(index=False, name=None)
        ]
    threshold = stain_threshold(np.stack(stain))
    logger.info(
        "haematoxylin of nuclei: above %.3f (optical density), from %d patches",
        threshold,
        len(stain),
    )
    return threshold


def _stain(image: HeImage, row: Row, side_px: int) -> NDArray[np.float32]:
    _, x_he_px, y_he_px, side_he_px = row
    return haematoxylin(image.read_area(x_he_px, y_he_px, side_he_px, side_px))


def _segment_batch(
    he: Path,
    size: tuple[int, float],
    threshold: float,
    rule: NucleusRule,
    rows: list[Row],
) -> list[tuple[int, SparseMap]]:
    side_px, um_per_px = size
    found = []
    with open_he(he, _WORKER_CACHE_BYTES) as image:
        for row in rows:
            nuclei = find_nuclei(_stain(image, row, side_px), um_per_px, threshold, rule)
            found.append((row[0], SparseMap.of(nuclei)))
    return found
