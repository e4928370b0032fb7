"""The nuclei of a slide by their haematoxylin, without a model; one threshold serves the whole slide."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sthelar_build.core.haematoxylin import NucleusRule, find_nuclei, smoothed, stain_threshold
from sthelar_build.core.predicted_maps import PredictedPatch, nuclei_of
from sthelar_build.core.stain import haematoxylin
from sthelar_build.io.he_blocks import Block
from sthelar_build.io.images.he import HeImage
from sthelar_build.io.stopwatch import Stopwatch

logger = logging.getLogger(__name__)

_MIN_TISSUE = 0.1
"""Share of tissue of the patches that set the threshold, if any has so much."""
_STEP_PX = 4
"""Every fourth pixel along each axis is enough for it."""


@dataclass(frozen=True)
class StainedNuclei:
    """Finds the nuclei of patches of one slide; threads may share it."""

    image: HeImage
    side_px: int
    um_per_px: float
    threshold: float
    rule: NucleusRule
    clock: Stopwatch

    def find(self, block: Block) -> list[PredictedPatch]:
        """Return the patches of a block."""
        with self.clock("reading"):
            pixels = block.images(self.image, self.side_px)
        with self.clock("separating"):
            maps = [
                find_nuclei(haematoxylin(patch), self.um_per_px, self.threshold, self.rule)
                for patch in pixels
            ]
            return [
                PredictedPatch(
                    int(row.patch_id), found.view(np.uint32), nuclei_of(found.view(np.uint32))
                )
                for row, found in zip(block.rows, maps, strict=True)
            ]


def slide_threshold(
    image: HeImage, patches: pd.DataFrame, side_px: int, um_per_px: float, rule: NucleusRule, n: int
) -> float:
    """Return the Otsu threshold over ``n`` patches evenly spread over the tissue; 0 if there are none.

    ``patches`` are the rows of PATCHES that lie wholly inside the image.
    """
    if patches.empty:
        return 0.0
    tissue = patches[patches.tissue_fraction >= min(_MIN_TISSUE, patches.tissue_fraction.max())]
    picked = tissue.iloc[np.unique(np.linspace(0, len(tissue) - 1, n).astype(int))]
    stain = []
    for row in picked.itertuples(index=False):
        pixels = image.read_area(row.x_he_px, row.y_he_px, row.side_he_px, side_px)
        stain.append(smoothed(haematoxylin(pixels), um_per_px, rule)[::_STEP_PX, ::_STEP_PX])
    threshold = stain_threshold(np.stack(stain))
    logger.info(
        "haematoxylin of nuclei: above %.3f (optical density), from %d patches",
        threshold,
        len(stain),
    )
    return threshold
