"""Write ``cells.zarr.zip``: ids, summaries, polygons and masks of nuclei and cells, as zarr v2 in a zip."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.features
import zarr
from numpy.typing import NDArray

from sthelar_build.core.simulation.mosaic import Mosaic, Part
from sthelar_build.core.simulation.slide import PIXEL_SIZE_UM, SimulatedSlide
from sthelar_build.core.simulation.versions import Traits
from sthelar_build.io.xenium_writer.tables import cell_rings, nucleus_rings

_SETS = (
    {"name": "nucleus", "display": "Nucleus boundaries", "about": "Nucleus segmentation"},
    {"name": "cell", "display": "Cell boundaries", "about": "Cell segmentation"},
)
_SUMMARY = (
    "cell_centroid_x",
    "cell_centroid_y",
    "cell_area",
    "nucleus_centroid_x",
    "nucleus_centroid_y",
    "nucleus_area",
    "z_level",
)
_BAND_ROWS = 1024
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_cells_zarr(path: Path, mosaic: Mosaic, traits: Traits) -> None:
    """Write the cell store of a slide, part by part; the same slide gives the same bytes.

    Labels of a mask are the position in the polygon set + 1 (from 2.0), or the row of the cell + 1
    for nuclei and cells alike (before). Where polygons overlap the smaller keeps the pixel.
    """
    folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=".cells_zarr."))
    try:
        store = zarr.open_group(folder, mode="w", zarr_format=2)
        store.attrs.update(_root_attributes(mosaic, traits))
        arrays = _empty_arrays(store, mosaic, traits)
        rasters = [_rasters(block, traits) for block in mosaic.blocks]
        for part in mosaic.parts(molecules=False):
            _fill(arrays, part, _methods(mosaic), traits)
            _fill_masks(arrays, part, rasters[part.block], traits)
        _zip(folder, path)
    finally:
        shutil.rmtree(folder)


def _root_attributes(mosaic: Mosaic, traits: Traits) -> dict[str, Any]:
    return {
        "major_version": 6 if traits.polygon_sets else 5,
        "minor_version": 0,
        "name": "CellSegmentationDataset",
        "number_cells": mosaic.sizes.cells,
        "polygon_set_names": [kind["name"] for kind in _SETS],
        "polygon_set_display_names": [kind["display"] for kind in _SETS],
        "polygon_set_descriptions": [kind["about"] for kind in _SETS],
        "segmentation_methods": _methods(mosaic),
        "spatial_units": "microns",
    }


def _methods(mosaic: Mosaic) -> list[str]:
    return sorted(
        {m for block in mosaic.blocks for m in block.cells["segmentation_method"].dropna()}
    )


def _empty_arrays(store: Any, mosaic: Mosaic, traits: Traits) -> dict[str, Any]:
    """Make all arrays; return by name those that the parts fill."""
    shapes = _shapes(mosaic, traits)
    arrays = {
        name: store.create_array(name, shape=shape, dtype=dtype)
        for name, (shape, dtype) in shapes.items()
    }
    arrays["cell_summary"].attrs["column_names"] = _summary_names(traits)
    to_px = np.diag([1 / PIXEL_SIZE_UM, 1 / PIXEL_SIZE_UM, 1, 1]).astype(np.float32)
    store.create_array("masks/homogeneous_transform", data=to_px)
    chunks = tuple(min(_BAND_ROWS, side_px) for side_px in mosaic.shape_px)
    for name in ("masks/0", "masks/1"):
        arrays[name] = store.create_array(
            name, shape=mosaic.shape_px, dtype=np.uint32, chunks=chunks, fill_value=0
        )
    return arrays


def _shapes(mosaic: Mosaic, traits: Traits) -> dict[str, tuple[tuple[int, ...], Any]]:
    n_cells, n_nuclei = mosaic.sizes.cells, mosaic.sizes.nuclei
    ids = () if traits.integer_ids else (2,)
    shapes: dict[str, tuple[tuple[int, ...], Any]] = {
        "cell_id": ((n_cells, *ids), np.uint32),
        "cell_summary": ((n_cells, len(_summary_names(traits))), np.float64),
    }
    if not traits.integer_ids and not traits.polygon_sets:
        shapes["seg_mask_value"] = ((n_cells,), np.uint32)
    widths = [2 * longest for longest in _longest(mosaic)]
    if not traits.polygon_sets:
        shapes["polygon_vertices"] = ((2, n_cells, max(widths)), np.float32)
        shapes["polygon_num_vertices"] = ((2, n_cells), np.int32)
        return shapes
    for index, (count, width) in enumerate(zip((n_nuclei, n_cells), widths, strict=True)):
        shapes[f"polygon_sets/{index}/cell_index"] = ((count,), np.uint32)
        shapes[f"polygon_sets/{index}/method"] = ((count,), np.uint32)
        shapes[f"polygon_sets/{index}/num_vertices"] = ((count,), np.int32)
        shapes[f"polygon_sets/{index}/vertices"] = ((count, width), np.float32)
    return shapes


def _longest(mosaic: Mosaic) -> list[int]:
    """Return the most vertices of a nucleus, and of a cell."""
    rings = [(nucleus_rings(block), cell_rings(block.cells)) for block in mosaic.blocks]
    return [
        max(1, *(len(ring) for of_block in rings for ring in of_block[kind])) for kind in (0, 1)
    ]


def _summary_names(traits: Traits) -> list[str]:
    return [*_SUMMARY, *(["nucleus_count"] if traits.polygon_sets else [])]


def _fill(arrays: dict[str, Any], part: Part, methods: list[str], traits: Traits) -> None:
    cells = slice(part.first.cells, part.first.cells + len(part.slide.cells))
    numbers = np.arange(cells.start + 1, cells.stop + 1, dtype=np.uint32)
    ids = part.slide.cells[["prefix", "suffix"]].to_numpy(np.uint32)
    arrays["cell_id"][cells] = numbers if traits.integer_ids else ids
    if "seg_mask_value" in arrays:
        arrays["seg_mask_value"][cells] = numbers
    arrays["cell_summary"][cells] = _summary(part.slide, traits)
    if traits.polygon_sets:
        _fill_polygons(arrays, part, methods)
    else:
        _fill_polygons_by_cell(arrays, part)


def _summary(slide: SimulatedSlide, traits: Traits) -> NDArray[np.float64]:
    """Nuclei of one cell are summarised together; a cell without has 0 everywhere."""
    n_cells = len(slide.cells)
    owner = slide.nuclei["cell_row"].to_numpy()
    centroid = slide.cells.centroid
    area = np.bincount(owner, slide.nuclei.area, minlength=n_cells)
    divisor = np.where(area > 0, area, 1.0)
    mean = [
        np.bincount(owner, slide.nuclei.area * values, minlength=n_cells) / divisor
        for values in (slide.nuclei.centroid.x, slide.nuclei.centroid.y)
    ]
    columns = [centroid.x, centroid.y, slide.cells.area, *mean, area, np.zeros(n_cells)]
    if traits.polygon_sets:
        columns.append(np.bincount(owner, minlength=n_cells))
    return np.column_stack(columns).astype(np.float64)


def _polygons(part: Part) -> Iterator[tuple[NDArray[np.int64], list[NDArray[np.float64]], int]]:
    """Yield the owners and rings of nuclei, then of cells, and how many of each come before."""
    slide = part.slide
    yield slide.nuclei["cell_row"].to_numpy(), nucleus_rings(slide), part.first.nuclei
    yield np.arange(len(slide.cells)), cell_rings(slide.cells), part.first.cells


def _fill_polygons(arrays: dict[str, Any], part: Part, methods: list[str]) -> None:
    numbers = {method: number for number, method in enumerate(methods)}
    method = part.slide.cells["segmentation_method"].map(numbers).fillna(0).to_numpy(np.uint32)
    for index, (owner, rings, start) in enumerate(_polygons(part)):
        vertices, number = _padded(rings, arrays[f"polygon_sets/{index}/vertices"].shape[1] // 2)
        values = {
            "cell_index": part.first.cells + owner,
            "method": method[owner],
            "num_vertices": number,
            "vertices": vertices,
        }
        for name, column in values.items():
            arrays[f"polygon_sets/{index}/{name}"][start : start + len(owner)] = column


def _fill_polygons_by_cell(arrays: dict[str, Any], part: Part) -> None:
    """Before 2.0: one row per cell in both sets, without vertices where it has no nucleus."""
    n_cells, longest = len(part.slide.cells), arrays["polygon_vertices"].shape[2] // 2
    cells = slice(part.first.cells, part.first.cells + n_cells)
    for index, (owner, rings, _) in enumerate(_polygons(part)):
        all_vertices = np.zeros((n_cells, 2 * longest), dtype=np.float32)
        all_numbers = np.zeros(n_cells, dtype=np.int32)
        own = max((len(ring) for ring in rings), default=1)
        vertices, number = _padded(rings, own)
        all_vertices[owner, : 2 * own], all_numbers[owner] = vertices, number
        arrays["polygon_vertices"][index, cells] = all_vertices
        arrays["polygon_num_vertices"][index, cells] = all_numbers


def _padded(
    rings: list[NDArray[np.float64]], longest: int
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return rows x, y, x, y, ..., filled up with the last vertex, and the number of vertices."""
    number = np.array([len(ring) for ring in rings], dtype=np.int32)
    start = np.cumsum(number) - number
    vertices = np.concatenate([*rings, np.empty((0, 2))]).astype(np.float32)
    rows = start[:, None] + np.minimum(np.arange(longest), number[:, None] - 1)
    return vertices[rows].reshape(len(rings), 2 * longest), number


def _rasters(block: SimulatedSlide, traits: Traits) -> list[NDArray[np.uint32]]:
    """Draw nuclei and cells of a block; a pixel belongs to a polygon when its centre does."""
    nucleus_labels = np.arange(len(block.nuclei))
    if not traits.polygon_sets:
        nucleus_labels = block.nuclei["cell_row"].to_numpy()
    kinds = ((block.nuclei, nucleus_labels), (block.cells, np.arange(len(block.cells))))
    grid = rasterio.Affine(PIXEL_SIZE_UM, 0, 0, 0, PIXEL_SIZE_UM, 0)
    drawn = []
    for frame, labels in kinds:
        raster = np.zeros(block.shape_px, dtype=np.uint32)
        largest_first = np.argsort(-frame.area.to_numpy(), kind="stable")
        polygons = frame.geometry.to_numpy()[largest_first]
        pairs = list(zip(polygons, (labels[largest_first] + 1).tolist(), strict=True))
        if pairs:
            rasterio.features.rasterize(pairs, out=raster, transform=grid)
        drawn.append(raster)
    return drawn


def _fill_masks(
    arrays: dict[str, Any], part: Part, rasters: list[NDArray[np.uint32]], traits: Traits
) -> None:
    height_px, width_px = part.slide.shape_px
    columns = slice(part.left_px, part.left_px + width_px)
    n_before = (part.first.nuclei if traits.polygon_sets else part.first.cells, part.first.cells)
    for name, raster, before in zip(("masks/0", "masks/1"), rasters, n_before, strict=True):
        turned = part.place.turned(raster)
        for top_px in range(0, height_px, _BAND_ROWS):
            band = turned[top_px : top_px + _BAND_ROWS]
            there = part.top_px + top_px
            numbered = np.where(band > 0, band + np.uint32(before), np.uint32(0))
            arrays[name][there : there + len(band), columns] = numbered


def _zip(folder: Path, path: Path) -> None:
    """Pack a store without compressing again, in sorted order and without time stamps."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), date_time=_EPOCH)
            archive.writestr(entry, file.read_bytes())
