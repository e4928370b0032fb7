"""Single molecules: where each transcript lies, how well it was decoded, and which cell it falls in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from sthelar_build.core.simulation.cell_types import cell_types
from sthelar_build.core.simulation.nuclei import Shapes
from sthelar_build.core.simulation.population import Population
from sthelar_build.core.simulation.structures import Points

QV_CUT = 20.0
_AMBIENT_IN_CELLS = 0.10
_HALF_PLACE_UM = 0.25
_FIRST_ID = 281474976710656
_TILE_UM = 100.0


def cell_molecules(
    rng: np.random.Generator,
    population: Population,
    counts: NDArray[np.int32],
    diffusion_um: float,
) -> tuple[Points, NDArray[np.int32]]:
    """Return positions (n, 2) in um and gene indices (n,) of the molecules of all cells.

    Each lies in a nucleus of its cell, uniformly, or in the cytoplasm between nucleus and outline; then
    all move by a Gaussian step of ``diffusion_um``, so that some end in a neighbour.
    """
    expressed, genes = np.nonzero(counts)
    cell = np.repeat(expressed, counts[expressed, genes])
    gene = np.repeat(genes, counts[expressed, genes]).astype(np.int32)
    share = cell_types().loc[population.cells["fine_label"], "nuclear_share"].to_numpy()
    nuclear = rng.random(len(cell)) < share[cell] * population.cells["has_nucleus"].to_numpy()[cell]
    points = np.empty((len(cell), 2))
    points[nuclear] = _in_nuclei(rng, population, cell[nuclear])
    points[~nuclear] = _in_cytoplasm(rng, population, cell[~nuclear])
    return points + rng.normal(0, diffusion_um, points.shape), gene


def _in_nuclei(rng: np.random.Generator, population: Population, cell: NDArray[np.int64]) -> Points:
    owner = population.owner
    first = np.searchsorted(owner, cell, side="left")
    last = np.searchsorted(owner, cell, side="right")
    nucleus = first + (rng.random(len(cell)) * (last - first)).astype(np.int64)
    vertices = population.nucleus_vertices
    centre = vertices.mean(axis=1)
    edge = vertices[nucleus, rng.integers(0, vertices.shape[1], len(cell))]
    edge = edge + rng.normal(0, 0.2, edge.shape)
    return np.asarray(
        centre[nucleus] + np.sqrt(rng.random(len(cell)))[:, None] * (edge - centre[nucleus])
    )


def _in_cytoplasm(
    rng: np.random.Generator, population: Population, cell: NDArray[np.int64]
) -> Points:
    cells = population.cells
    centre = cells[["x_um", "y_um"]].to_numpy()[cell]
    lengths = shapely.get_num_coordinates(population.outlines)
    start = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    corner = (rng.random(len(cell)) * (lengths[cell] - 1)).astype(np.int64)
    ring = shapely.get_coordinates(population.outlines)
    a, b = ring[start[cell] + corner], ring[start[cell] + corner + 1]
    edge = a + rng.random((len(cell), 1)) * (b - a)
    away = edge - centre
    distance = np.maximum(np.hypot(away[:, 0], away[:, 1]), 1e-6)
    direction = np.arctan2(away[:, 1], away[:, 0]) - cells["angle"].to_numpy(dtype=float)[cell]
    radius, aspect = cells["radius_um"].to_numpy()[cell], cells["aspect"].to_numpy()[cell]
    nucleus = radius / np.hypot(
        np.cos(direction) / np.sqrt(aspect), np.sin(direction) * np.sqrt(aspect)
    )
    nucleus = np.where(cells["has_nucleus"].to_numpy()[cell], nucleus, 0.0)
    inner = np.clip(nucleus / distance, 0, 0.95) ** 2
    return np.asarray(centre + np.sqrt(inner + rng.random(len(cell)) * (1 - inner))[:, None] * away)


def located(
    points_um: Points, outlines: Shapes, nuclei: Shapes, owner: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return for every point the row of the cell that holds it (-1: none), and whether a nucleus does.

    A nucleus decides before an outline, and the first of the sequence before later ones.
    """
    tree = shapely.STRtree(shapely.points(points_um))
    cell_row = np.full(len(points_um), -1, dtype=np.int64)
    in_nucleus = np.zeros(len(points_um), dtype=bool)
    for shapes, cell_of in ((outlines, np.arange(len(outlines))), (nuclei, owner)):
        shape, point = tree.query(shapes, predicate="contains")
        order = np.argsort(-shape, kind="stable")
        cell_row[point[order]] = cell_of[shape[order]]
        if shapes is nuclei:
            in_nucleus[point] = True
    return cell_row, in_nucleus


def ambient_molecules(
    rng: np.random.Generator,
    places_um: Points,
    in_cell: NDArray[np.bool_],
    count: int,
) -> Points:
    """Return ``count`` points between the cells, and the few that fall in cells with them.

    ``places_um`` are the centres (n, 2) of small pixels of tissue, ``in_cell`` whether a cell covers
    each. The fluid between cells holds ten times as much per area as the cells themselves.
    """
    free, held = places_um[~in_cell], places_um[in_cell]
    if not len(free):
        return np.zeros((0, 2))
    ambient = rng.poisson(count / len(free) * _AMBIENT_IN_CELLS * len(held))
    points = [free[rng.integers(0, len(free), count)]]
    if len(held):
        points.append(held[rng.integers(0, len(held), ambient)])
    return np.concatenate(points) + rng.uniform(
        -_HALF_PLACE_UM, _HALF_PLACE_UM, (sum(map(len, points)), 2)
    )


def qualities(rng: np.random.Generator, count: int, low_share: float) -> NDArray[np.float32]:
    """Return Phred-like qualities: ``low_share`` of them below 20, most of the others at the cap of 40."""
    low = rng.random(count) < low_share
    good = np.minimum(40.0, 20 + 28 * rng.beta(2.5, 1.0, count))
    return np.where(low, 19.9 * rng.beta(2.0, 1.2, count), good).astype(np.float32)


def thinned_low_count(
    rng: np.random.Generator,
    cell_row: NDArray[np.int64],
    counted: NDArray[np.bool_],
    low_count: NDArray[np.bool_],
    at_most: int,
) -> NDArray[np.bool_]:
    """Return which molecules to keep so that no low-count cell has more than ``at_most`` counted ones."""
    keep = np.ones(len(cell_row), dtype=bool)
    candidates = np.flatnonzero(counted & (cell_row >= 0) & low_count[np.maximum(cell_row, 0)])
    candidates = rng.permutation(candidates)
    order = np.argsort(cell_row[candidates], kind="stable")
    cell = cell_row[candidates][order]
    start = np.flatnonzero(np.r_[True, cell[1:] != cell[:-1]]) if len(cell) else np.zeros(0, int)
    rank = np.arange(len(cell)) - np.repeat(start, np.diff(np.r_[start, len(cell)]))
    keep[candidates[order][rank >= at_most]] = False
    return keep


def transcript_table(
    rng: np.random.Generator,
    points_um: Points,
    codeword: NDArray[np.int32],
    qv: NDArray[np.float32],
    cell_row: NDArray[np.int64],
    in_nucleus: NDArray[np.bool_],
) -> pd.DataFrame:
    """Return the molecules as ``SimulatedSlide.transcripts``, tile by tile of 100 um, as imaged."""
    tile = (points_um // _TILE_UM).astype(np.int64)
    order = np.lexsort((rng.random(len(tile)), tile[:, 0], tile[:, 1]))
    frame = pd.DataFrame(
        {
            "transcript_id": _FIRST_ID + np.arange(len(order), dtype=np.uint64),
            "cell_row": cell_row[order],
            "overlaps_nucleus": in_nucleus[order],
            "codeword_index": codeword[order],
        }
    )
    depth = rng.normal(16, 3, len(order))
    columns = (("x_um", points_um[order, 0]), ("y_um", points_um[order, 1]), ("z_um", depth))
    for name, values in columns:
        frame[name] = values.astype(np.float32)
    frame["qv"] = qv[order]
    return frame
