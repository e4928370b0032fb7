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
import shapely
import zarr
from numpy.typing import NDArray

from sthelar_build.core.polygons import Geometries
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


def write_cells_zarr(path: Path, slide: SimulatedSlide, traits: Traits) -> None:
    """Write the cell store of a slide; the same slide gives the same bytes.

    Labels of a mask are the position in the polygon set + 1 (from 2.0), or the row of the cell + 1
    for nuclei and cells alike (before). Where polygons overlap the smaller keeps the pixel.
    """
    folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=".cells_zarr."))
    try:
        store = zarr.open_group(folder, mode="w", zarr_format=2)
        store.attrs.update(_root_attributes(slide, traits))
        _write_ids(store, slide, traits)
        _write_summary(store, slide, traits)
        _write_polygons(store, slide, traits)
        _write_masks(store, slide, traits)
        _zip(folder, path)
    finally:
        shutil.rmtree(folder)


def _root_attributes(slide: SimulatedSlide, traits: Traits) -> dict[str, Any]:
    return {
        "major_version": 6 if traits.polygon_sets else 5,
        "minor_version": 0,
        "name": "CellSegmentationDataset",
        "number_cells": len(slide.cells),
        "polygon_set_names": [kind["name"] for kind in _SETS],
        "polygon_set_display_names": [kind["display"] for kind in _SETS],
        "polygon_set_descriptions": [kind["about"] for kind in _SETS],
        "segmentation_methods": _methods(slide),
        "spatial_units": "microns",
    }


def _methods(slide: SimulatedSlide) -> list[str]:
    return sorted(slide.cells["segmentation_method"].dropna().unique())


def _write_ids(store: Any, slide: SimulatedSlide, traits: Traits) -> None:
    numbers = np.arange(1, len(slide.cells) + 1, dtype=np.uint32)
    if traits.integer_ids:
        store.create_array("cell_id", data=numbers)
        return
    store.create_array("cell_id", data=slide.cells[["prefix", "suffix"]].to_numpy(np.uint32))
    if not traits.polygon_sets:
        store.create_array("seg_mask_value", data=numbers)


def _write_summary(store: Any, slide: SimulatedSlide, traits: Traits) -> None:
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
    names = list(_SUMMARY)
    if traits.polygon_sets:
        columns.append(np.bincount(owner, minlength=n_cells))
        names.append("nucleus_count")
    summary = store.create_array("cell_summary", data=np.column_stack(columns).astype(np.float64))
    summary.attrs["column_names"] = names


def _write_polygons(store: Any, slide: SimulatedSlide, traits: Traits) -> None:
    owners = (slide.nuclei["cell_row"].to_numpy(), np.arange(len(slide.cells)))
    rings = (nucleus_rings(slide), cell_rings(slide.cells))
    if not traits.polygon_sets:
        _write_polygons_by_cell(store, owners, rings, len(slide.cells))
        return
    methods = {method: number for number, method in enumerate(_methods(slide))}
    method = slide.cells["segmentation_method"].map(methods).fillna(0).to_numpy(np.uint32)
    for index, (owner, members) in enumerate(zip(owners, rings, strict=True)):
        vertices, number = _padded(members)
        group = store.create_group(f"polygon_sets/{index}")
        group.create_array("cell_index", data=owner.astype(np.uint32))
        group.create_array("method", data=method[owner])
        group.create_array("num_vertices", data=number)
        group.create_array("vertices", data=vertices)


def _write_polygons_by_cell(
    store: Any,
    owners: tuple[NDArray[np.int64], ...],
    rings: tuple[list[NDArray[np.float64]], ...],
    n_cells: int,
) -> None:
    """Before 2.0: one row per cell in both sets, without vertices where it has no nucleus."""
    padded = [_padded(members) for members in rings]
    width = max(vertices.shape[1] for vertices, _ in padded)
    all_vertices = np.zeros((2, n_cells, width), dtype=np.float32)
    all_numbers = np.zeros((2, n_cells), dtype=np.int32)
    for index, (owner, (vertices, number)) in enumerate(zip(owners, padded, strict=True)):
        all_vertices[index, owner, : vertices.shape[1]] = vertices
        all_numbers[index, owner] = number
    store.create_array("polygon_vertices", data=all_vertices)
    store.create_array("polygon_num_vertices", data=all_numbers)


def _padded(rings: list[NDArray[np.float64]]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return rows x, y, x, y, ..., filled up with the last vertex, and the number of vertices."""
    number = np.array([len(ring) for ring in rings], dtype=np.int32)
    longest = int(number.max(initial=1))
    rows = [np.pad(ring, ((0, longest - len(ring)), (0, 0)), mode="edge").ravel() for ring in rings]
    return np.array(rows, dtype=np.float32).reshape(len(rings), 2 * longest), number


def _write_masks(store: Any, slide: SimulatedSlide, traits: Traits) -> None:
    masks = store.create_group("masks")
    to_px = np.diag([1 / PIXEL_SIZE_UM, 1 / PIXEL_SIZE_UM, 1, 1]).astype(np.float32)
    masks.create_array("homogeneous_transform", data=to_px)
    nucleus_labels = np.arange(len(slide.nuclei))
    if not traits.polygon_sets:
        nucleus_labels = slide.nuclei["cell_row"].to_numpy()
    for name, frame, labels in (
        ("0", slide.nuclei, nucleus_labels + 1),
        ("1", slide.cells, np.arange(1, len(slide.cells) + 1)),
    ):
        mask = masks.create_array(
            name,
            shape=slide.shape_px,
            dtype=np.uint32,
            chunks=tuple(min(_BAND_ROWS, side_px) for side_px in slide.shape_px),
            fill_value=0,
        )
        for top_px, band in _bands(frame.geometry.to_numpy(), labels, slide.shape_px):
            mask[top_px : top_px + len(band)] = band


def _bands(
    polygons_um: Geometries, labels: NDArray[np.integer[Any]], shape_px: tuple[int, int]
) -> Iterator[tuple[int, NDArray[np.uint32]]]:
    """Draw the mask in bands of rows; a pixel belongs to a polygon when its centre does."""
    height_px, width_px = shape_px
    largest_first = np.argsort(-shapely.area(polygons_um), kind="stable")
    polygons_um, labels = polygons_um[largest_first], labels[largest_first]
    bounds_px = shapely.bounds(polygons_um) / PIXEL_SIZE_UM
    for top_px in range(0, height_px, _BAND_ROWS):
        bottom_px = min(top_px + _BAND_ROWS, height_px)
        here = (bounds_px[:, 3] >= top_px) & (bounds_px[:, 1] <= bottom_px)
        grid = rasterio.Affine(PIXEL_SIZE_UM, 0, 0, 0, PIXEL_SIZE_UM, top_px * PIXEL_SIZE_UM)
        band = np.zeros((bottom_px - top_px, width_px), dtype=np.uint32)
        pairs = list(zip(polygons_um[here], labels[here].tolist(), strict=True))
        if pairs:
            rasterio.features.rasterize(pairs, out=band, transform=grid)
        yield top_px, band


def _zip(folder: Path, path: Path) -> None:
    """Pack a store without compressing again, in sorted order and without time stamps."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), date_time=_EPOCH)
            archive.writestr(entry, file.read_bytes())
