"""Settings of the stage ``evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from sthelar_build.settings.base import Settings
from sthelar_build.settings.checkpoints import TOY, TOY_CHECKPOINT


class EvaluateSettings(Settings):
    """Predict a slide with a network that was trained on the dataset, and compare with its masks and labels."""

    revision: Literal[1] = 1
    checkpoint: Path | None = None
    """Checkpoint of the network: a path, or ``toy`` for the small one that is shipped. Null evaluates nothing."""
    trust_checkpoint: bool = False
    """Also open a checkpoint that can run code when it is read: only if you trust who made it."""
    scale: str | None = None
    """Name of the scale whose patches are predicted, the one that the network was trained at; null takes the first of ``scales``."""
    splits: tuple[Literal["train", "valid", "test"], ...] = ("test",)
    """Splits whose patches are predicted. Empty takes all patches of slides that are well registered, those in no split too."""
    magnification: Literal["auto", "20", "40"] = "auto"
    """Magnification whose constants split touching nuclei; auto takes that of the pixel size."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where the network runs; auto takes a GPU that torch can use, where there is one."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Numbers of the network; auto takes fp32 on the CPU, and on a GPU what it was trained with."""
    batch_size: Annotated[int, Field(ge=1)] | None = None
    """Patches that go through the network together; null finds how many the memory holds."""

    @property
    def checkpoint_file(self) -> Path | None:
        """The checkpoint as a path; None if nothing is evaluated."""
        return TOY_CHECKPOINT if str(self.checkpoint) == TOY else self.checkpoint
