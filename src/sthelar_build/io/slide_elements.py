"""The images and shapes of a slide's SpatialData store, from the artefacts that hold them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sthelar_build.core.correction import Correction
from sthelar_build.core.slide_shapes import cell_shapes, nucleus_shapes, patch_shapes
from sthelar_build.errors import InputError
from sthelar_build.io.spatial import SlideFrames, grid_element, image_element, shapes_element
from sthelar_build.io.tables import read_table
from sthelar_build.schema import elements
from sthelar_build.schema.frames import Frame
from sthelar_build.schema.tables import CELLS, METRICS, NUCLEI, PATCHES

logger = logging.getLogger(__name__)


def outline_elements(nuclei: Path, cells: Path, frames: SlideFrames) -> dict[str, Any]:
    """Return the outlines of ``nuclei.parquet`` and ``cells.parquet``; cells are left out if none has an outline."""
    all_cells = read_table(cells, CELLS)
    outlined = cell_shapes(all_cells)
    logger.info(
        "cell outlines: kept %d of %d: the bundle has none of the others",
        len(outlined),
        len(all_cells),
    )
    shapes = {elements.NUCLEUS_SHAPES: nucleus_shapes(read_table(nuclei, NUCLEI))}
    if len(outlined):
        shapes[elements.CELL_SHAPES] = outlined
    in_um = frames.transformations(Frame.UM)
    return {name: shapes_element(shape, in_um) for name, shape in shapes.items()}


def patch_elements(grids: Sequence[tuple[str, Path, Path]], frames: SlideFrames) -> dict[str, Any]:
    """Return the complete patches of every scale, from its name, its patches and its metrics."""
    names = elements.patch_shapes_names([scale for scale, _, _ in grids])
    shapes = {}
    for name, (_, patches, metrics) in zip(names, grids, strict=True):
        grid = read_table(patches, PATCHES)
        squares = patch_shapes(grid, read_table(metrics, METRICS))
        logger.info(
            "%s: kept %d of %d patches: the others reach outside", name, len(squares), len(grid)
        )
        shapes[name] = shapes_element(squares, frames.transformations(Frame.HE))
    return shapes


def image_elements(
    he_levels: Sequence[Any], levels: Sequence[Any], channels: Sequence[str], frames: SlideFrames
) -> dict[str, Any]:
    """Return both images from their lazy levels; InputError if the morphology image has other channels."""
    logger.info("H&E: %d levels, the first %d x %d px", len(he_levels), *he_levels[0].shape[:0:-1])
    logger.info("morphology: %d levels, the first %d x %d px", len(levels), *levels[0].shape[:0:-1])
    if len(channels) != levels[0].shape[0]:
        raise InputError(
            f"morphology image: expected the channels {', '.join(channels)} of bundle.json, "
            f"found {levels[0].shape[0]} channels; copy the bundle whole and ingest it again"
        )
    in_he, in_morphology = (frames.transformations(f) for f in (Frame.HE, Frame.MORPHOLOGY))
    return {
        elements.HE_IMAGE: image_element(he_levels, "rgb", in_he),
        elements.MORPHOLOGY_IMAGE: image_element(levels, channels, in_morphology),
    }


def correction_elements(correction: Correction | None, frames: SlideFrames) -> dict[str, Any]:
    """Return the correction of a registration as an image with a pixel per node; nothing if there is none."""
    if correction is None:
        return {}
    rows, columns = correction.shift_um.shape[:2]
    logger.info("correction: %d x %d nodes, up to %.2f um", columns, rows, correction.largest_um)
    shift_um = correction.shift_um.transpose(2, 0, 1).astype(np.float32)
    placed = frames.of_nodes(correction.left_um, correction.top_um, correction.step_um)
    return {elements.CORRECTION_IMAGE: grid_element(shift_um, ["dx_um", "dy_um"], placed)}
