"""A network compared with what is drawn, patch by patch: read ahead, predicted in batches, scored meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from sthelar_build.adapters.cellvit.predictor import Predictor
from sthelar_build.adapters.cellvit.slide_nuclei import predicted_patch
from sthelar_build.core.detection import RADIUS_PX
from sthelar_build.core.model_classes import ModelClasses
from sthelar_build.core.model_scores import PatchScores, SeenPatch, TruePatch, recoded, score_patch
from sthelar_build.io.slide_patches import Patch, SlidePatches
from sthelar_build.io.workers import batches, map_threads

_READERS = 4
"""Threads that read ahead, at most: each holds some tens of patches, and the network is slower than they are."""


@dataclass(frozen=True)
class Comparison:
    """What every patch is compared by."""

    predictor: Predictor
    """One that returns types."""
    magnification: int
    classes: ModelClasses
    code_of_nucleus: NDArray[np.uint8]
    """Code of the class of every nucleus, by nucleus id."""


def network_scores(
    source: SlidePatches, table: pd.DataFrame, by: Comparison, threads: int
) -> Iterator[tuple[Patch, PatchScores]]:
    """Yield the patches of the rows of a ``patch_table`` with their scores, in order, few of them in memory.

    The calling thread runs the network; ``threads`` others read, and as many score. Their number changes no result.
    """

    def read(patch: Patch) -> tuple[NDArray[np.uint8], TruePatch]:
        codes = by.code_of_nucleus[patch.nucleus_ids]
        return patch.image, TruePatch(patch.patch_id, patch.dense, codes)

    def seen() -> Iterator[tuple[Patch, TruePatch, SeenPatch]]:
        patches = source.each(table, read, min(threads, _READERS))
        for batch in batches(patches, by.predictor.batch_size):
            maps = by.predictor(np.stack([image for _, (image, _) in batch]))
            if maps.types is None:
                raise ValueError("expected a predictor that returns types")
            for place, (patch, (_, true)) in enumerate(batch):
                found = predicted_patch(patch.patch_id, maps, place, by.magnification)
                yield patch, true, recoded(found, maps.types[place], by.classes.code_of_type)

    def score(one: tuple[Patch, TruePatch, SeenPatch]) -> tuple[Patch, PatchScores]:
        patch, true, found = one
        n_codes = len(by.classes.names)
        return patch, score_patch(true, found, n_codes, RADIUS_PX[by.magnification])

    torch.set_num_threads(threads)
    yield from map_threads(score, seen(), threads)
