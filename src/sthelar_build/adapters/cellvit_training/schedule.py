"""How large the steps are in the course of a training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

_SMALLEST = 0.01


@dataclass(frozen=True)
class Schedule:
    """What the learning rate does, epoch by epoch."""

    schedule: Literal["cosine", "exponential"] = "cosine"
    epochs: int = 130
    warmup_epochs: float = 1.0
    """It rises from 0 for so long."""
    decay: float = 0.85
    """Factor of every epoch (exponential)."""

    def factor(self, epoch: float) -> float:
        """Return the share of the full learning rate at a time, in epochs from the start; never below 0.01 once warm.

        exponential: CellViT's; cosine: Loshchilov and Hutter, ICLR 2017, without restarts.
        """
        if epoch < self.warmup_epochs:
            return epoch / self.warmup_epochs
        if self.schedule == "exponential":
            return float(max(self.decay**epoch, _SMALLEST))
        done = (epoch - self.warmup_epochs) / max(self.epochs - self.warmup_epochs, 1e-9)
        return _SMALLEST + (1 - _SMALLEST) * (1 + math.cos(math.pi * min(done, 1))) / 2
