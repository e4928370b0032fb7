"""What a version of the Xenium software can show of a slide."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from sthelar_build.core.simulation.slide import SimulatedSlide

_CHANNELS_WITH_STAINS = 4


@dataclass(frozen=True)
class Traits:
    """What differs between the bundles of two versions."""

    integer_ids: bool
    """Cells are numbered from 1 (before 1.3); else they have text ids."""
    bytes_for_text: bool
    """Text is stored as bytes in parquet (1.x)."""
    fields_of_view: bool
    """Transcripts say their field of view and distance to a nucleus (from 1.3)."""
    polygon_sets: bool
    """Cells own any number of nuclei, which are numbered, and images lie in a folder (from 2.0)."""
    categories: bool
    """Transcripts say what their codeword stands for (from 3.0)."""
    named_channels: bool
    """Image files are named after their channel (from 4.0)."""


def traits_of(xoa_version: str) -> Traits:
    """Return the traits of a version such as ``1.9.0``; ValueError if it is not a version."""
    version = tuple(int(part) for part in xoa_version.split("."))
    return Traits(
        integer_ids=version < (1, 3),
        bytes_for_text=version < (2,),
        fields_of_view=version >= (1, 3),
        polygon_sets=version >= (2,),
        categories=version >= (3,),
        named_channels=version >= (4,),
    )


def as_version(slide: SimulatedSlide, xoa_version: str) -> SimulatedSlide:
    """Return the slide as a version of the Xenium software can show it; twice is as good as once.

    Before 2.0 a cell shows its first nucleus only (transcripts that lay in another one of its
    nuclei are no longer nuclear; a cell without nucleus stays without), there is no segmentation
    method, and the only image is DAPI. Before 1.3 the cells are numbered from 1. From 2.0 there
    are four channels or DAPI alone; from 4.0 there may be any number.
    """
    traits = traits_of(xoa_version)
    if not traits.polygon_sets:
        slide = _with_one_nucleus_per_cell(slide)
        slide = replace(slide, cells=slide.cells.assign(segmentation_method=None))
    if traits.integer_ids:
        slide = _with_numbered_cells(slide)
    return replace(slide, morphology=_shown_channels(slide.morphology, traits))


def _with_one_nucleus_per_cell(slide: SimulatedSlide) -> SimulatedSlide:
    nuclei = slide.nuclei.drop_duplicates("cell_row").reset_index(drop=True)
    if len(nuclei) == len(slide.nuclei):
        return slide
    counts = slide.nuclei["cell_row"].value_counts()
    transcripts = slide.transcripts
    nuclear = transcripts["overlaps_nucleus"].to_numpy(dtype=bool).copy()
    doubtful = np.flatnonzero(
        nuclear & transcripts["cell_row"].isin(counts.index[counts > 1]).to_numpy()
    )
    kept = nuclei.set_index("cell_row")["geometry"].reindex(transcripts["cell_row"].iloc[doubtful])
    places = transcripts[["x_um", "y_um"]].to_numpy()[doubtful]
    nuclear[doubtful] = shapely.contains_xy(kept.to_numpy(), places[:, 0], places[:, 1])
    return replace(slide, nuclei=nuclei, transcripts=transcripts.assign(overlaps_nucleus=nuclear))


def _with_numbered_cells(slide: SimulatedSlide) -> SimulatedSlide:
    numbers = np.arange(1, len(slide.cells) + 1, dtype=np.uint32)
    return replace(
        slide,
        cells=slide.cells.assign(
            prefix=numbers, suffix=np.ones_like(numbers), cell_id=numbers.astype(str).astype(object)
        ),
    )


def _shown_channels(
    morphology: dict[str, NDArray[np.uint16]], traits: Traits
) -> dict[str, NDArray[np.uint16]]:
    if traits.named_channels:
        return morphology
    all_shown = traits.polygon_sets and len(morphology) == _CHANNELS_WITH_STAINS
    return morphology if all_shown else {"DAPI": morphology["DAPI"]}
