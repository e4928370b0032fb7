"""The region that the instrument scans: cells and nuclei cut at its border, in the order of the bundle."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from sthelar_build.core.cell_ids import cell_id_strings
from sthelar_build.core.simulation.cell_types import cell_types
from sthelar_build.core.simulation.nuclei import Shapes, as_stored, bow_tie_ring, keyhole_ring
from sthelar_build.core.simulation.population import Population

_SMALLEST_UM2 = 4.0
_TILE_UM = 50.0
HARD_ID = (0xFFFFFFFF, 12)
"""Prefix and suffix of one cell of every slide: the id that breaks readers which use int32 or one digit."""

_BY_NUCLEUS = "Segmented by nucleus expansion of 5.0µm"
_BY_INTERIOR = "Segmented by interior stain (18S)"
_BY_BOUNDARY = "Segmented by boundary stain (ATP1A1+CD45+E-Cadherin)"


@dataclass(frozen=True)
class Scan:
    """Rows of a population that lie in the region, in the order of the bundle."""

    cell_rows: NDArray[np.int64]
    nucleus_rows: NDArray[np.int64]
    outlines: Shapes
    """Cell outlines, cut at the border."""
    nuclei: Shapes
    """Nuclei, cut at the border."""
    owner: NDArray[np.int64]
    """Position in ``cell_rows`` of the owner of every nucleus."""


def scanned(population: Population, width_um: float, height_um: float) -> Scan:
    """Return what of a population the region (0, 0, width, height) shows.

    A cell is there when a nucleus of it is, in part; a cell without nucleus, when its centre is. Bits of
    nuclei below 4 um2 are not seen.
    """
    region = shapely.box(0, 0, width_um, height_um)
    nuclei = _cut(population.nuclei, region)
    seen = shapely.area(nuclei) > _SMALLEST_UM2
    x, y = population.cells["x_um"].to_numpy(), population.cells["y_um"].to_numpy()
    centre_in = (x >= 0) & (x < width_um) & (y >= 0) & (y < height_um)
    kept = centre_in & ~population.cells["has_nucleus"].to_numpy()
    kept[population.owner[seen]] = True
    rows = np.flatnonzero(kept)
    rows = rows[np.lexsort((x[rows], x[rows] // _TILE_UM, y[rows] // _TILE_UM))]
    position = np.full(len(x), -1, dtype=np.int64)
    position[rows] = np.arange(len(rows))
    nucleus_rows = np.flatnonzero(seen)
    owner = position[population.owner[nucleus_rows]]
    order = np.argsort(owner, kind="stable")
    outlines = _cut(population.outlines[rows], region)
    return Scan(rows, nucleus_rows[order], outlines, nuclei[nucleus_rows[order]], owner[order])


def _cut(shapes: Shapes, region: shapely.Polygon) -> Shapes:
    cut = shapes.copy()
    crosses = ~shapely.contains_properly(region, shapes)
    pieces = shapely.intersection(shapes[crosses], region)
    cut[crosses] = [_largest(piece) for piece in pieces]
    return cut


def _largest(shape: shapely.Geometry) -> shapely.Polygon:
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    if not parts:
        return shapely.Polygon()
    largest = max(parts, key=lambda part: part.area)
    return shapely.Polygon(as_stored(np.asarray(largest.exterior.coords)))


def cell_table(
    rng: np.random.Generator, population: Population, scan: Scan, suffix: int, v1: bool
) -> geopandas.GeoDataFrame:
    """Return the cells of the region as ``SimulatedSlide.cells``; ``v1``: all grown from nuclei."""
    cells = population.cells.iloc[scan.cell_rows]
    prefix = rng.choice(0xFFFFFFFF, len(cells), replace=False).astype(np.uint32)
    suffixes = np.full(len(cells), suffix, dtype=np.uint32)
    prefix[len(cells) // 2], suffixes[len(cells) // 2] = HARD_ID
    cancer = cell_types().loc[cells["fine_label"], "cancer"].to_numpy() == 1
    frame = pd.DataFrame({"prefix": prefix, "suffix": suffixes})
    frame["cell_id"] = cell_id_strings(prefix, suffixes)
    frame["fine_label"] = cells["fine_label"].to_numpy()
    frame["label3"] = np.where(cancer, "cancer_cell", "normal_cell").astype(object)
    for name in ("class_name", "niche", "mixed_with", "low_count"):
        frame[name] = cells[name].to_numpy()
    method = np.where(cells["vacuole"] >= 0, _BY_BOUNDARY, _BY_NUCLEUS)
    method = np.where(cells["has_nucleus"], method, _BY_INTERIOR)
    frame["segmentation_method"] = _BY_NUCLEUS if v1 else method.astype(object)
    return geopandas.GeoDataFrame(frame, geometry=list(scan.outlines))


def nucleus_table(
    rng: np.random.Generator, population: Population, scan: Scan
) -> geopandas.GeoDataFrame:
    """Return the nuclei of the region as ``SimulatedSlide.nuclei``."""
    rings: list[list[tuple[float, float]]] = []
    for shape, bow_tie in zip(scan.nuclei, population.bow_tie[scan.nucleus_rows], strict=True):
        if len(shape.interiors):
            ring = keyhole_ring(shape)
        elif bow_tie:
            ring = bow_tie_ring(rng, shape)
        else:
            ring = np.asarray(shape.exterior.coords)
        rings.append([(float(x), float(y)) for x, y in ring])
    return geopandas.GeoDataFrame(
        {"cell_row": scan.owner, "ring": rings}, geometry=list(scan.nuclei)
    )
