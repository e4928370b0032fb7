"""The images, points and shapes of a slide's SpatialData store, from the artefacts that hold them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sthelar_build.core.correction import Correction
from sthelar_build.core.slide_shapes import cell_shapes, nucleus_shapes, patch_shapes
from sthelar_build.errors import InputError
from sthelar_build.io.lazy_transcripts import lazy_transcripts
from sthelar_build.io.spatial import (
    Make,
    SlideFrames,
    grid_element,
    image_element,
    points_element,
    shapes_element,
)
from sthelar_build.io.tables import count_geometries, read_table
from sthelar_build.schema import elements
from sthelar_build.schema.frames import Frame
from sthelar_build.schema.tables import CELLS, METRICS, NUCLEI, PATCHES

logger = logging.getLogger(__name__)


def outline_elements(nuclei: Path, cells: Path, frames: SlideFrames) -> dict[str, Make]:
    """Return what makes the outlines of ``nuclei.parquet`` and ``cells.parquet``; no cells if none has an outline."""
    n_cells, n_outlined = count_geometries(cells)
    logger.info(
        "cell outlines: kept %d of %d: the bundle has none of the others", n_outlined, n_cells
    )
    in_um = frames.transformations(Frame.UM)
    makers: dict[str, Make] = {
        elements.NUCLEUS_SHAPES: lambda: shapes_element(
            nucleus_shapes(read_table(nuclei, NUCLEI)), in_um
        )
    }
    if n_outlined:
        makers[elements.CELL_SHAPES] = lambda: shapes_element(
            cell_shapes(read_table(cells, CELLS)), in_um
        )
    return makers


def patch_elements(grids: Sequence[tuple[str, Path, Path]], frames: SlideFrames) -> dict[str, Make]:
    """Return what makes the complete patches of every scale, from its name, its patches and its metrics."""
    names = elements.patch_shapes_names([scale for scale, _, _ in grids])
    return {
        name: partial(_patch_element, name, patches, metrics, frames)
        for name, (_, patches, metrics) in zip(names, grids, strict=True)
    }


def _patch_element(name: str, patches: Path, metrics: Path, frames: SlideFrames) -> Any:
    grid = read_table(patches, PATCHES)
    squares = patch_shapes(grid, read_table(metrics, METRICS))
    logger.info(
        "%s: kept %d of %d patches: the others reach outside", name, len(squares), len(grid)
    )
    return shapes_element(squares, frames.transformations(Frame.HE))


def point_elements(transcripts: Path, frames: SlideFrames) -> dict[str, Make]:
    """Return what makes the points of ``transcripts.parquet``, which are lazy."""

    def make() -> Any:
        table, in_um = lazy_transcripts(transcripts), frames.transformations(Frame.UM)
        return points_element(table, "feature_name", "cell_id", in_um)

    return {elements.TRANSCRIPT_POINTS: make}


def image_elements(
    he_levels: Sequence[Any], levels: Sequence[Any], channels: Sequence[str], frames: SlideFrames
) -> dict[str, Make]:
    """Return what makes both images from their lazy levels; InputError if the morphology image has other channels."""
    logger.info("H&E: %d levels, the first %d x %d px", len(he_levels), *he_levels[0].shape[:0:-1])
    logger.info("morphology: %d levels, the first %d x %d px", len(levels), *levels[0].shape[:0:-1])
    if len(channels) != levels[0].shape[0]:
        raise InputError(
            f"morphology image: expected the channels {', '.join(channels)} of bundle.json, "
            f"found {levels[0].shape[0]} channels; copy the bundle whole and ingest it again"
        )
    in_he, in_morphology = (frames.transformations(f) for f in (Frame.HE, Frame.MORPHOLOGY))
    return {
        elements.HE_IMAGE: partial(image_element, he_levels, "rgb", in_he),
        elements.MORPHOLOGY_IMAGE: partial(image_element, levels, channels, in_morphology),
    }


def correction_elements(correction: Correction | None, frames: SlideFrames) -> dict[str, Make]:
    """Return what makes the correction of a registration as an image with a pixel per node; nothing if there is none."""
    if correction is None:
        return {}
    rows, columns = correction.shift_um.shape[:2]
    logger.info("correction: %d x %d nodes, up to %.2f um", columns, rows, correction.largest_um)
    shift_um = correction.shift_um.transpose(2, 0, 1).astype(np.float32)
    placed = frames.of_nodes(correction.left_um, correction.top_um, correction.step_um)
    channels = ["dx_um", "dy_um"]
    return {elements.CORRECTION_IMAGE: partial(grid_element, shift_um, channels, placed)}
