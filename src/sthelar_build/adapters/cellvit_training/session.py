"""A training from datasets to scores: the parts of this package put together as the settings say."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sthelar_build.adapters.cellvit.architecture import PATCH_PX
from sthelar_build.adapters.cellvit.checkpoint import Checkpoint
from sthelar_build.adapters.cellvit.network import CellViT
from sthelar_build.adapters.cellvit_training.augmentation import Augmentation
from sthelar_build.adapters.cellvit_training.dataset import SplitPatches, TrainingViews
from sthelar_build.adapters.cellvit_training.evaluation import Evaluation, mean_agreement
from sthelar_build.adapters.cellvit_training.inference import (
    Prediction,
    Runner,
    predictions,
    runner,
)
from sthelar_build.adapters.cellvit_training.loop import Progress, Steps, Training
from sthelar_build.adapters.cellvit_training.losses import LossWeights
from sthelar_build.adapters.cellvit_training.networks import NetworkChoice, new_network
from sthelar_build.adapters.cellvit_training.sampler import Draw, epoch_batches, sampling_weights
from sthelar_build.adapters.cellvit_training.schedule import Schedule
from sthelar_build.core.magnification import nearest_magnification
from sthelar_build.core.splits import SPLIT_NAMES
from sthelar_build.errors import InputError
from sthelar_build.io.cellvit_export import Export
from sthelar_build.io.progress import progress
from sthelar_build.settings.train import TrainSettings

logger = logging.getLogger(__name__)

_TRAIN, _VALID, _TEST = SPLIT_NAMES


@dataclass(frozen=True)
class Trained:
    """A network with its best weights, and how it came to them."""

    network: CellViT
    how: Runner
    done: Progress
    magnifications: list[int]
    """40 or 20, of each dataset."""


def train(
    exports: Sequence[Export],
    start: Checkpoint | None,
    settings: TrainSettings,
    folder: Path,
    threads: int,
) -> Trained:
    """Train a network; its state lies in ``folder`` after every epoch, and is gone on from."""
    patches = {split: _patches(exports, split) for split in (_TRAIN, _VALID)}
    first = exports[0]
    mean, std = (start.mean, start.std) if start else (settings.mean, settings.std)
    how = runner(settings.device, settings.precision, mean, std)
    network = new_network(
        settings.part(NetworkChoice), first.nuclei_types, first.tissue_types, start, settings.seed
    )
    _describe(network, patches, how)
    training = Training(
        network,
        how,
        settings.part(Steps),
        settings.part(Schedule),
        settings.part(LossWeights),
        _class_weights(exports) if settings.use_class_weights else None,
    )
    magnifications = [magnification_of(export, settings.magnification) for export in exports]
    done = training.run(
        TrainingViews(patches[_TRAIN], settings.part(Augmentation)),
        _batches(exports, patches[_TRAIN], settings),
        lambda network: mean_agreement(
            _predicted(network, exports, _VALID, how, magnifications, threads)
        ),
        folder,
        # On a CPU the network itself takes all cores.
        workers=max(1, threads - 1) if how.device == "cuda" else 0,
    )
    network.load_state_dict(done.best_weights)
    return Trained(network, how, done, magnifications)


def evaluate(trained: Trained, exports: Sequence[Export], threads: int) -> dict[str, Any]:
    """Return how good a network is on the test split, see ``Evaluation.record``."""
    found = Evaluation(exports[0].nuclei_types, exports[0].tissue_types)
    n_patches = sum(len(export.names(_TEST)) for export in exports)
    tested = _predicted(
        trained.network, exports, _TEST, trained.how, trained.magnifications, threads
    )
    for one in progress(tested, "test patches", n_patches):
        found.add(one)
    return found.record()


def magnification_of(export: Export, wanted: str = "auto") -> int:
    """Return 40 or 20: what is wanted, or what the pixels of the dataset are nearest to; 40 where it does not say."""
    if wanted != "auto":
        return int(wanted)
    return nearest_magnification(export.um_per_px) if export.um_per_px else 40


def _predicted(
    network: CellViT,
    exports: Sequence[Export],
    split: str,
    how: Runner,
    magnifications: Sequence[int],
    threads: int,
) -> Iterator[Prediction]:
    """Yield the predictions for a split, dataset by dataset."""
    for export, magnification in zip(exports, magnifications, strict=True):
        patches = SplitPatches([export], split)
        yield from predictions(network, patches, how, magnification, threads)


def _patches(exports: Sequence[Export], split: str) -> SplitPatches:
    patches = SplitPatches(exports, split)
    if not len(patches):
        raise InputError(
            f"{exports[0].folder}: expected patches in the split {split}, found none; "
            "see the settings of collect, and export again"
        )
    return patches


def _batches(
    exports: Sequence[Export], patches: SplitPatches, settings: TrainSettings
) -> Callable[[int], list[list[Draw]]]:
    rows_px, side_px, _ = patches[0].image.shape
    if rows_px != side_px or side_px % PATCH_PX:
        raise InputError(
            f"{exports[0].folder}: expected square patches whose side is a multiple of {PATCH_PX} px, "
            f"found {side_px} x {rows_px}; set tile.side_px, and export again"
        )
    weights = sampling_weights(exports, _TRAIN, settings.gamma)
    n_draws = settings.patches_per_epoch or len(patches)
    size = min(settings.batch_size, n_draws)
    return lambda epoch: epoch_batches(
        weights, n_draws, size, side_px, settings.zoom, settings.seed, epoch
    )


def _class_weights(exports: Sequence[Export]) -> torch.Tensor:
    """Return the weights of the classes, background first: the mean over the datasets."""
    names = exports[0].nuclei_types
    for export in exports:
        if set(export.weights.get("class_weights", {})) != set(names):
            raise InputError(
                f"{export.folder / 'weight_config.yaml'}: expected class_weights of {', '.join(names)}, found others; "
                "set train.use_class_weights: false"
            )
    each = [[export.weights["class_weights"][name] for name in names] for export in exports]
    return torch.tensor(np.mean(each, axis=0), dtype=torch.float32)


def _describe(network: CellViT, patches: dict[str, SplitPatches], how: Runner) -> None:
    logger.info(
        "%s with %d parameters on %s in %s: %d patches to learn from, %d to check on",
        network.architecture.arch,
        sum(parameter.numel() for parameter in network.parameters()),
        how.device,
        how.precision,
        len(patches[_TRAIN]),
        len(patches[_VALID]),
    )
