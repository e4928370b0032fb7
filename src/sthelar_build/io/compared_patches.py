"""Masks and predictions side by side, patch by patch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.predicted_maps import without_unassigned
from sthelar_build.core.voted_maps import typed_instances
from sthelar_build.errors import InputError
from sthelar_build.io.masks import Masks, open_masks
from sthelar_build.io.predictions import Predictions, open_predictions


@dataclass(frozen=True)
class ComparedPatch:
    """One patch of the grid."""

    patch_id: int
    true: NDArray[np.uint32]
    """Nucleus ids of the slide (y, x), 0 is background."""
    foreground: NDArray[np.uint32]
    """Not 0 where nuclei are predicted, whether or not they could be told apart."""
    nuclei: pd.DataFrame
    """The predicted nuclei, rows of PREDICTED_NUCLEI."""
    knows_types: bool
    """Whether predicted nuclei have a type."""

    @cached_property
    def instances(self) -> NDArray[np.uint32]:
        """All predicted instances (y, x)."""
        return without_unassigned(self.foreground)

    @cached_property
    def counted(self) -> NDArray[Any]:
        """Those that count as nuclei: of a network, as in CellViT, those with an outline and a type; else all."""
        if not self.knows_types:
            return self.instances
        ids, types = (self.nuclei[name].to_numpy() for name in ("instance_id", "type_index"))
        return typed_instances(self.instances, ids, types)


@dataclass(frozen=True)
class ComparedPatches:
    """The masks and the predictions of one slide at one scale."""

    masks: Masks
    predictions: Predictions

    def each_between(self, start: int, stop: int) -> Iterator[ComparedPatch]:
        """Yield the patches ``start`` to ``stop - 1``."""
        nuclei = self.predictions.nuclei_between(start, stop)
        first = np.searchsorted(nuclei["patch_id"], np.arange(start, stop + 1))
        maps = zip(
            self.masks.each_between(start, stop),
            self.predictions.each_between(start, stop),
            strict=True,
        )
        for place, (true, found) in enumerate(maps):
            rows = nuclei.iloc[first[place] : first[place + 1]]
            yield ComparedPatch(start + place, true, found, rows, self.predictions.knows_types)

    def patch(self, patch_id: int) -> ComparedPatch:
        """Return one patch."""
        return next(self.each_between(patch_id, patch_id + 1))


def open_compared(masks: Path, predictions: Path) -> ComparedPatches:
    """Open two folders; InputError if they are of different grids."""
    drawn, found = open_masks(masks), open_predictions(predictions)
    grids = [(one.n_patches, one.side_px) for one in (drawn, found)]
    if grids[0] != grids[1]:
        raise InputError(
            f"{predictions}: expected {grids[0][0]} patches of {grids[0][1]} x {grids[0][1]} px as in {masks}, found "
            f"{grids[1][0]} of {grids[1][1]} x {grids[1][1]} px; segment the patches of this scale"
        )
    return ComparedPatches(drawn, found)
