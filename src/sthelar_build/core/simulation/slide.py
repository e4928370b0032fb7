"""What a simulated slide is: everything the instrument would have seen, and the truth behind it."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas
import numpy as np
import pandas as pd
from numpy.typing import NDArray

PIXEL_SIZE_UM = 0.2125
"""Pixel size of every Xenium morphology image."""

GENE_CATEGORIES = ("predesigned_gene", "custom_gene")
"""The categories of features that are genes; all others are controls."""


@dataclass(frozen=True)
class SimulatedSlide:
    """One region, in um, before any file format.

    Frames: every coordinate is in um; the morphology image has its corner at (0, 0) and covers
    ``[0, width_px * PIXEL_SIZE_UM) x [0, height_px * PIXEL_SIZE_UM)``.
    """

    features: pd.DataFrame
    """One row per codeword, by codeword index: ``name``, ``id`` (ENSG... or the control's name),
    ``category`` (predesigned_gene, custom_gene, negative_control_probe, negative_control_codeword,
    unassigned_codeword, deprecated_codeword, genomic_control_probe). Genes come first."""

    cells: geopandas.GeoDataFrame
    """One row per cell: ``prefix`` (uint32) and ``suffix`` (uint32) of the 10x id, ``cell_id`` (string),
    ``fine_label``, ``label3`` (cancer_cell or normal_cell), ``class_name``, ``niche``,
    ``mixed_with`` (fine label that bleeds in, or null), ``low_count`` (bool), ``segmentation_method``,
    ``geometry`` (valid polygon)."""

    nuclei: geopandas.GeoDataFrame
    """One row per nucleus: ``cell_row`` (row of ``cells``), ``geometry`` (the true, valid polygon or
    multipolygon), ``ring`` (list of (x, y): the single vertex ring that the bundle shows, closed; it may be
    invalid: a bow-tie, or a keyhole around a hole)."""

    transcripts: pd.DataFrame
    """One row per molecule: ``transcript_id`` (uint64), ``cell_row`` (int64, -1 unassigned),
    ``overlaps_nucleus`` (bool), ``codeword_index`` (int32), ``x_um``, ``y_um``, ``z_um``, ``qv`` (float32)."""

    morphology: dict[str, NDArray[np.uint16]]
    """Channel name -> (y, x) image on the morphology grid; ``DAPI`` first, the others only when simulated."""

    @property
    def shape_px(self) -> tuple[int, int]:
        """Height and width of the morphology image, in pixels."""
        height_px, width_px = self.morphology["DAPI"].shape
        return height_px, width_px
