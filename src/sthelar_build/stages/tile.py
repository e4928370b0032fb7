"""Lay the grid of patches over the H&E; say how much tissue each holds, how far the run covers it, how sharp it is."""

from __future__ import annotations

import logging
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.covered_area import mark, without_gaps
from sthelar_build.core.focus import blur_um
from sthelar_build.core.scale import downsample_of
from sthelar_build.core.stain import tissue_mask
from sthelar_build.core.tiling import Grid, box_shares, box_sums, patch_grid, patch_table
from sthelar_build.errors import ConfigError
from sthelar_build.io.images.focus import tissue_edges
from sthelar_build.io.images.he import HeImage, open_he
from sthelar_build.io.provenance import provenance
from sthelar_build.io.tables import write_table
from sthelar_build.io.transcripts import transcript_batches
from sthelar_build.io.transform import Transform, check_image_size, read_transform
from sthelar_build.io.workers import ahead
from sthelar_build.options import InFile, OutFile, Word, as_json
from sthelar_build.schema.tables import PATCHES
from sthelar_build.settings.tile import TileSettings

logger = logging.getLogger(__name__)

_LEAST_TISSUE = 0.05
"""Patches with less tissue are too empty for their blur to be measured."""

_NO_TISSUE_PX = 1e-6
"""Sums over boxes are this exact."""


def run(
    he: InFile,
    transform: InFile,
    transcripts: InFile,
    scale: Word,
    patches: OutFile,
    settings: Annotated[TileSettings, as_json(TileSettings)],
) -> None:
    """Cut the H&E of a slide into a grid of patches at one scale."""
    placed = read_transform(transform)
    downsample = _downsample(scale, placed)
    with open_he(he) as image:
        check_image_size(transform, placed, he, image.width_px, image.height_px)
        grid = patch_grid(
            image.width_px, image.height_px, downsample, settings.side_px, settings.overlap_px
        )
        table = patch_table(grid)
        tissue = _tissue(image, placed.he_um_per_px, settings)
        boxes = _boxes(table, tissue.shape, image)
        table["tissue_fraction"] = box_shares(tissue, boxes)
        table["blur_um"] = _blur_um(image, placed.he_um_per_px, tissue, table, boxes)
    covered = tissue & _where_transcripts_lie(transcripts, placed, tissue, settings)
    table["covered_fraction"] = _share_of_tissue(covered, tissue, boxes)
    _log(table, grid, settings)
    facts = {**asdict(grid), "scale": scale, "um_per_px": placed.he_um_per_px * downsample}
    source = provenance(
        "tile", settings, {"he": he, "transform": transform, "transcripts": transcripts}
    )
    write_table(patches, table, PATCHES, source, facts)


def _downsample(scale: str, placed: Transform) -> float:
    try:
        downsample = downsample_of(scale, placed.he_um_per_px)
    except ValueError as error:
        raise ConfigError(f"scale: {error}; correct scales in the configuration") from error
    if downsample < 1:
        logger.warning(
            "scale %s is finer than the image (%.4f um/px): patches are enlarged %.2f times",
            scale,
            placed.he_um_per_px,
            1 / downsample,
        )
    return downsample


def _tissue(image: HeImage, he_um_per_px: float, settings: TileSettings) -> NDArray[np.bool_]:
    longer_um = max(image.width_px, image.height_px) * he_um_per_px
    small = image.thumbnail(max(1, round(longer_um / settings.tissue_um_per_px)))
    mask = tissue_mask(small, settings.tissue_min_density)
    logger.info("tissue covers %.1f %% of the image", 100 * mask.mean())
    return mask


def _where_transcripts_lie(
    path: Path, placed: Transform, tissue: NDArray[np.bool_], settings: TileSettings
) -> NDArray[np.bool_]:
    """Return a mask like that of the tissue: transcripts, and the narrow gaps between them."""
    found = np.zeros_like(tissue)
    rows, columns = found.shape
    to_small = np.array([columns / placed.he_width_px, rows / placed.he_height_px])
    for batch in ahead(transcript_batches(path, ["x_um", "y_um"])):
        places_um = np.stack([column.to_numpy() for column in batch.columns], axis=1)
        mark(found, placed.um_to_he_affine.apply(places_um) * to_small)
    gap_px = settings.covered_gap_um / placed.he_um_per_px * to_small.mean()
    return without_gaps(found, gap_px)


def _share_of_tissue(
    covered: NDArray[np.bool_], tissue: NDArray[np.bool_], boxes: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the share of the tissue in every box that is covered; NaN where there is none."""
    logger.info("the run covers %.1f %% of the tissue", 100 * covered.sum() / max(1, tissue.sum()))
    whole = box_sums(tissue, boxes)
    share = np.full(len(boxes), np.nan)
    np.divide(box_sums(covered, boxes), whole, out=share, where=whole > _NO_TISSUE_PX)
    return np.asarray(np.clip(share, 0, 1), dtype=np.float32)


def _boxes(table: pd.DataFrame, shape: tuple[int, ...], image: HeImage) -> NDArray[np.float64]:
    """Return left, top, right, bottom of every patch in pixels of a small image of the whole slide."""
    across, down = shape[1] / image.width_px, shape[0] / image.height_px
    left, top = table.x_he_px.to_numpy() * across, table.y_he_px.to_numpy() * down
    side = table.side_he_px.to_numpy()
    return np.stack([left, top, left + side * across, top + side * down], axis=1)


def _blur_um(
    image: HeImage,
    he_um_per_px: float,
    tissue: NDArray[np.bool_],
    table: pd.DataFrame,
    boxes: NDArray[np.float64],
) -> NDArray[np.float32]:
    fine, coarse = (box_sums(part, boxes) for part in tissue_edges(image, he_um_per_px, tissue))
    measured = table["tissue_fraction"].to_numpy() >= _LEAST_TISSUE
    found = blur_um(np.where(measured, fine, 0), coarse)
    if measured.any():
        quantiles = np.nanquantile(found[measured], [0.05, 0.5, 0.95])
        logger.info(
            "blur of %d patches of %d: 5 %%, median, 95 %%: %.2f, %.2f, %.2f um",
            measured.sum(),
            len(table),
            *quantiles,
        )
    return found


def _log(table: pd.DataFrame, grid: Grid, settings: TileSettings) -> None:
    logger.info(
        "%d patches of %d px in %d rows and %d columns; %d complete, the others overrun the image",
        len(table),
        settings.side_px,
        grid.rows,
        grid.columns,
        table.complete.sum(),
    )
