"""The patches of exported datasets as torch wants them: views with their targets, made by any number of workers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from sthelar_build.adapters.cellvit_training.augmentation import Augmentation, augmented
from sthelar_build.adapters.cellvit_training.losses import Targets
from sthelar_build.adapters.cellvit_training.sampler import Draw
from sthelar_build.core.hv_targets import hv_targets
from sthelar_build.errors import InputError
from sthelar_build.io.cellvit_export import Export, LabelledPatch, PatchZips, open_export

Item = tuple[torch.Tensor, Targets]
"""Images uint8 (b, 3, h, w), and what is true of them."""


def open_exports(folders: Sequence[Path]) -> list[Export]:
    """Open datasets that are learnt from together; InputError unless they number classes and tissues alike."""
    exports = [open_export(folder) for folder in folders]
    first = exports[0]
    for other in exports[1:]:
        for key in ("nuclei_types", "tissue_types"):
            if getattr(other, key) != getattr(first, key):
                raise InputError(
                    f"{other.folder}: expected the {key} of {first.folder}, {getattr(first, key)}, "
                    f"found {getattr(other, key)}; export both from one run"
                )
    return exports


class SplitPatches:
    """The patches of one split of all exports, by position."""

    def __init__(self, exports: Sequence[Export], split: str) -> None:
        self._zips = [PatchZips(export.folder) for export in exports]
        self._patches = [
            (zips, name, export.tissue(name))
            for zips, export in zip(self._zips, exports, strict=True)
            for name in export.names(split)
        ]

    def __len__(self) -> int:
        return len(self._patches)

    def __getitem__(self, position: int) -> LabelledPatch:
        zips, name, tissue = self._patches[position]
        return LabelledPatch(*zips.read(name), tissue)

    def __iter__(self) -> Iterator[LabelledPatch]:
        return (self[position] for position in range(len(self)))


class TrainingViews(Dataset[Item]):
    """Views of the patches of the training split, asked for by :class:`Draw`: any worker makes the same of one."""

    def __init__(self, patches: SplitPatches, how: Augmentation) -> None:
        self._patches, self._how = patches, how

    def __getitem__(self, draw: Draw) -> Item:
        rng = np.random.default_rng(draw.seed)
        return as_tensors(augmented(self._patches[draw.patch], self._how, draw.side_px, rng))


def as_tensors(patch: LabelledPatch) -> Item:
    """Return a patch and its targets as tensors, without the batch axis."""
    nucleus = patch.instances > 0
    return torch.from_numpy(np.ascontiguousarray(patch.image.transpose(2, 0, 1))), Targets(
        torch.from_numpy(nucleus.astype(np.int64)),
        torch.from_numpy(hv_targets(patch.instances)),
        torch.from_numpy(patch.types.astype(np.int64)),
        torch.tensor(patch.tissue),
    )


def batches_of_views(
    views: TrainingViews, batches: list[list[Draw]], workers: int
) -> Iterator[tuple[torch.Tensor, Targets]]:
    """Yield the batches of an epoch, in order; with 0 workers this process makes them."""
    # Forking a process that has threads can deadlock.
    how: dict[str, Any] = {"multiprocessing_context": "spawn"} if workers else {}
    loader = DataLoader(views, batch_sampler=batches, num_workers=workers, **how)
    for images, targets in loader:
        yield images, Targets(*targets)
