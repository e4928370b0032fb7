"""A block at its place in a mosaic: mirrored, shifted, and with ids that no other part has."""

from __future__ import annotations

from dataclasses import dataclass, replace

import geopandas
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from sthelar_build.core.cell_ids import cell_id_strings
from sthelar_build.core.simulation.crop import HARD_ID
from sthelar_build.core.simulation.mosaic_image import Place
from sthelar_build.core.simulation.slide import PIXEL_SIZE_UM, SimulatedSlide

_SCATTER = np.uint32(2654435761)
"""Odd, so that no two numbers below 2**32 have the same product; near 2**32 over the golden ratio, so that they scatter."""


@dataclass(frozen=True)
class First:
    """How many things come before a part."""

    cells: int = 0
    nuclei: int = 0
    transcripts: int = 0

    @classmethod
    def after(cls, slide: SimulatedSlide) -> First:
        """Return how many things one slide has."""
        return cls(len(slide.cells), len(slide.nuclei), len(slide.transcripts))

    def __add__(self, other: First) -> First:
        """Return how many things both have."""
        return First(
            self.cells + other.cells,
            self.nuclei + other.nuclei,
            self.transcripts + other.transcripts,
        )


def placed(
    block: SimulatedSlide, place: Place, corner_px: tuple[int, int], first: First, numbered: bool
) -> SimulatedSlide:
    """Return a block as it lies in a mosaic; its images stay as they are.

    Parameters
    ----------
    corner_px
        Row and column of the morphology image where the part begins.
    first
        How many cells and transcripts come before: ids go on from there.
    numbered
        Cells are numbered from 1, instead of having scattered prefixes.
    """
    to_place = _Shift(block, place, corner_px)
    cells = block.cells.assign(**_new_ids(block.cells, first.cells, numbered))
    cells = cells.set_geometry(shapely.transform(cells.geometry.to_numpy(), to_place))
    rings = [np.asarray(ring) for ring in block.nuclei["ring"]]
    ends = np.cumsum([len(ring) for ring in rings])
    moved = to_place(np.concatenate([*rings, np.empty((0, 2))]))
    nuclei = geopandas.GeoDataFrame(
        {"cell_row": block.nuclei["cell_row"], "ring": np.split(moved, ends)[: len(rings)]},
        geometry=shapely.transform(block.nuclei.geometry.to_numpy(), to_place),
    )
    return replace(
        block,
        cells=cells,
        nuclei=nuclei,
        transcripts=_transcripts(block.transcripts, to_place, first),
    )


@dataclass(frozen=True)
class _Shift:
    """The map of points (n, 2), in um, from a block to its place."""

    block: SimulatedSlide
    place: Place
    corner_px: tuple[int, int]

    def __call__(self, points_um: NDArray[np.float64]) -> NDArray[np.float64]:
        height_px, width_px = self.block.shape_px
        flips = np.array([self.place.flip_x, self.place.flip_y])
        size_um = np.array([width_px, height_px]) * PIXEL_SIZE_UM
        there = np.where(flips, size_um - points_um, points_um)
        moved = there + np.array(self.corner_px[::-1]) * PIXEL_SIZE_UM
        return np.asarray(moved.astype(np.float32), dtype=np.float64)


def _transcripts(transcripts: pd.DataFrame, to_place: _Shift, first: First) -> pd.DataFrame:
    points = to_place(transcripts[["x_um", "y_um"]].to_numpy(np.float64)).astype(np.float32)
    ids = transcripts["transcript_id"].to_numpy()
    start = ids.min() if len(ids) else 0
    return transcripts.assign(
        transcript_id=start + np.uint64(first.transcripts) + np.arange(len(ids), dtype=np.uint64),
        x_um=points[:, 0],
        y_um=points[:, 1],
    )


def _new_ids(cells: pd.DataFrame, start: int, numbered: bool) -> dict[str, NDArray[np.generic]]:
    if numbered:
        numbers = np.arange(start + 1, start + len(cells) + 1, dtype=np.uint32)
        return {"prefix": numbers, "cell_id": numbers.astype(str).astype(object)}
    prefix, suffix = scattered_prefixes(start, len(cells)), cells["suffix"].to_numpy().copy()
    if start == 0 and len(cells):
        prefix[len(cells) // 2], suffix[len(cells) // 2] = HARD_ID
    elif len(cells):
        suffix[suffix == HARD_ID[1]] = suffix[0]
    return {"prefix": prefix, "suffix": suffix, "cell_id": cell_id_strings(prefix, suffix)}


def scattered_prefixes(start: int, count: int) -> NDArray[np.uint32]:
    """Return the prefixes of cells ``start`` to ``start + count - 1``: all different, and never 0xFFFFFFFF.

    >>> scattered_prefixes(0, 2).tolist()
    [2654435760, 1013904225]
    """
    numbers = np.arange(start, start + count, dtype=np.uint32)
    return np.asarray((numbers + np.uint32(1)) * _SCATTER - np.uint32(1))
