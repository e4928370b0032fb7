"""The epochs of a training: steps, validation, the best network so far, and going on after a kill."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from sthelar_build.adapters.cellvit.network import CellViT
from sthelar_build.adapters.cellvit_training.dataset import TrainingViews, batches_of_views
from sthelar_build.adapters.cellvit_training.inference import Runner
from sthelar_build.adapters.cellvit_training.losses import LossWeights, Targets, training_loss
from sthelar_build.adapters.cellvit_training.sampler import Draw
from sthelar_build.adapters.cellvit_training.schedule import Schedule
from sthelar_build.adapters.cellvit_training.weights import save_whole
from sthelar_build.errors import InputError
from sthelar_build.io.progress import progress

logger = logging.getLogger(__name__)

Scores = dict[str, float]
Weights = dict[str, Tensor]
_STATE = "state.pth"


@dataclass(frozen=True)
class Steps:
    """How the parameters move."""

    learning_rate: float = 3e-4
    weight_decay: float = 1e-4
    betas: tuple[float, float] = (0.85, 0.95)
    max_gradient_norm: float = 5.0
    freeze_encoder_epochs: int = 0
    patience: int = 20
    stop_on: Literal["bPQ", "Dice"] = "bPQ"


@dataclass
class Progress:
    """How far a training is."""

    epoch: int = 0
    """Epochs done."""
    best_epoch: int = 0
    best_score: float = -math.inf
    best_weights: Weights = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)


class Training:
    """A network on its way; :meth:`run` takes it to its end, from wherever ``folder`` says it is."""

    def __init__(
        self,
        network: CellViT,
        how: Runner,
        steps: Steps,
        schedule: Schedule,
        losses: LossWeights,
        class_weights: Tensor | None = None,
    ) -> None:
        self.network = network.to(how.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.how, self.steps, self.schedule, self.losses = how, steps, schedule, losses
        self.class_weights = None if class_weights is None else class_weights.to(how.device)
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(),
            lr=steps.learning_rate,
            betas=steps.betas,
            weight_decay=steps.weight_decay,
        )
        self.scaler = torch.amp.GradScaler(how.device, enabled=how.precision == "fp16")
        self.done = Progress()

    def run(
        self,
        views: TrainingViews,
        batches_of: Callable[[int], list[list[Draw]]],
        validate: Callable[[CellViT], Scores],
        folder: Path,
        workers: int = 0,
    ) -> Progress:
        """Train until the epochs are over or nothing has improved for ``patience`` of them.

        ``batches_of`` gives the batches of an epoch, counted from 0; ``validate`` scores the network. After every epoch the
        state is written to ``folder``; a state that lies there is gone on from.
        """
        self._resume(folder)
        while self.done.epoch < self.schedule.epochs and not self._stalled():
            start = time.monotonic()
            batches = batches_of(self.done.epoch)
            terms = self._epoch(views, batches, workers)
            self._record(terms, validate(self.network), time.monotonic() - start)
            self._save(folder)
        return self.done

    def _epoch(
        self, views: TrainingViews, batches: list[list[Draw]], workers: int
    ) -> dict[str, float]:
        """Return the mean of every term of the loss."""
        self._freeze(self.done.epoch < self.steps.freeze_encoder_epochs)
        loader = batches_of_views(views, batches, workers)
        what = f"batches of epoch {self.done.epoch + 1}"
        sums: dict[str, float] = {}
        for number, (images, targets) in enumerate(progress(loader, what, len(batches))):
            factor = self.schedule.factor(self.done.epoch + (number + 1) / len(batches))
            for name, value in self._step(images, targets, factor).items():
                sums[name] = sums.get(name, 0.0) + value / len(batches)
        return sums

    def _step(self, images: Tensor, targets: Targets, factor: float) -> dict[str, float]:
        for group in self.optimiser.param_groups:
            group["lr"] = self.steps.learning_rate * factor
        with self.how.autocast():
            logits = self.network(self.how.normalised(images))
        loss, terms = training_loss(
            logits, targets.to(self.how.device), self.losses, self.class_weights
        )
        if not torch.isfinite(loss):
            raise InputError(
                f"epoch {self.done.epoch + 1}: expected a finite loss, found {float(loss.detach())}; "
                "lower train.learning_rate, or set train.precision to fp32"
            )
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self.scaler.unscale_(self.optimiser)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.steps.max_gradient_norm)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return {"loss": float(loss.detach())} | {name: float(v) for name, v in terms.items()}

    def _freeze(self, frozen: bool) -> None:
        """Train the network, or all of it but its encoder, whose tissue head always learns."""
        self.network.train()
        for name, parameter in self.network.encoder.named_parameters():
            parameter.requires_grad_(name.startswith("head.") or not frozen)

    def _record(self, terms: dict[str, float], scores: Scores, seconds: float) -> None:
        done = self.done
        done.epoch += 1
        done.history.append({"epoch": done.epoch, **terms, **scores, "seconds": round(seconds, 1)})
        # Of equals the last: while nothing is found yet, all score 0.
        if scores[self.steps.stop_on] >= done.best_score:
            done.best_epoch, done.best_score = done.epoch, scores[self.steps.stop_on]
            done.best_weights = {
                n: v.detach().cpu().clone() for n, v in self.network.state_dict().items()
            }
        found = ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
        logger.info(
            "epoch %d of %d: loss %.3f, valid %s (best epoch %d), %.0f s",
            done.epoch,
            self.schedule.epochs,
            terms["loss"],
            found,
            done.best_epoch,
            seconds,
        )

    def _stalled(self) -> bool:
        since = self.done.epoch - self.done.best_epoch
        stalled = bool(self.steps.patience) and since >= self.steps.patience
        if stalled:
            logger.info("stopped: no better %s in %d epochs", self.steps.stop_on, since)
        return stalled

    def _save(self, folder: Path) -> None:
        state: dict[str, Any] = {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "progress": asdict(self.done),
        }
        save_whole(folder / _STATE, state)

    def _resume(self, folder: Path) -> None:
        if not (folder / _STATE).is_file():
            return
        state = torch.load(folder / _STATE, map_location=self.how.device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])
        self.done = Progress(**state["progress"])
        logger.info("going on after epoch %d, which %s holds", self.done.epoch, folder)
