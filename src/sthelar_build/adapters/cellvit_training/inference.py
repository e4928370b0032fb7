"""What the network in training says about patches: maps, and the nuclei that the watershed makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sthelar_build.adapters.cellvit.network import CellViT, Logits
from sthelar_build.core.hv_nuclei import HvNuclei, hv_nuclei
from sthelar_build.errors import ConfigError
from sthelar_build.io.cellvit_export import LabelledPatch
from sthelar_build.io.workers import batches, map_threads

Triple = tuple[float, float, float]
_BATCH = 8
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Runner:
    """A device, a precision, and how images become input."""

    device: str
    precision: str
    mean: Triple = (0.5, 0.5, 0.5)
    std: Triple = (0.5, 0.5, 0.5)

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context of the forward pass."""
        dtype = _DTYPES[self.precision]
        return torch.autocast(self.device, dtype=dtype, enabled=self.precision != "fp32")

    def normalised(self, images: Tensor) -> Tensor:
        """Return images uint8 (b, 3, h, w) as float32 input on the device."""
        pixels = images.to(self.device, non_blocking=True).float() / 255
        mean, std = (
            torch.tensor(v, device=self.device)[:, None, None] for v in (self.mean, self.std)
        )
        return ((pixels - mean) / std).contiguous(memory_format=torch.channels_last)


def runner(device: str, precision: str, mean: Triple, std: Triple) -> Runner:
    """Choose what auto stands for: cuda if torch sees a GPU, and there bf16 where it has it, else fp16; fp32 on a CPU."""
    found = torch.cuda.is_available()
    if device == "cuda" and not found:
        raise ConfigError(
            "train.device: expected a GPU that torch can use for cuda, found none; "
            "set it to auto or cpu, or install a torch built for CUDA"
        )
    chosen = ("cuda" if found else "cpu") if device == "auto" else device
    if precision == "auto":
        precision = "fp32"
        if chosen == "cuda":
            precision = "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    if precision == "fp16" and chosen == "cpu":
        raise ConfigError(
            "train.precision: expected fp32 or bf16 on a cpu, found fp16; set it to auto"
        )
    return Runner(chosen, precision, mean, std)


class Prediction(NamedTuple):
    """What is true of a patch, and what the network says."""

    patch: LabelledPatch
    nucleus: NDArray[np.uint8]
    """(h, w): 1 where the network sees nucleus, before any post-processing."""
    nuclei: HvNuclei
    tissue: int
    magnification: int
    """Whose constants split the nuclei."""


def predictions(
    network: CellViT,
    patches: Iterable[LabelledPatch],
    how: Runner,
    magnification: int,
    threads: int = 1,
) -> Iterator[Prediction]:
    """Yield a prediction for every patch, in order; the network is left in evaluation mode."""
    network.eval()
    separate = partial(_separated, magnification)
    for batch in batches(patches, _BATCH):
        images = np.stack([patch.image for patch in batch]).transpose(0, 3, 1, 2)
        with torch.inference_mode(), how.autocast():
            logits = network(how.normalised(torch.from_numpy(np.ascontiguousarray(images))))
        yield from map_threads(separate, zip(batch, _maps(logits), strict=True), threads)


def _maps(logits: Logits) -> list[tuple[Any, ...]]:
    """Return the maps of nucleus, distances and types and the tissue, image by image."""
    if logits.types is None or logits.tissue is None:
        raise ValueError("expected all outputs of the network, got none of the types or the tissue")
    found = (
        logits.binary.argmax(1),
        logits.hv.float(),
        logits.types.argmax(1),
        logits.tissue.argmax(1),
    )
    return list(zip(*(values.cpu().numpy() for values in found), strict=True))


def _separated(magnification: int, job: tuple[LabelledPatch, tuple[Any, ...]]) -> Prediction:
    patch, (nucleus, hv, types, tissue) = job
    binary = nucleus.astype(np.uint8)
    nuclei = hv_nuclei(binary, hv, types.astype(np.uint8), magnification)
    return Prediction(patch, binary, nuclei, int(tissue), magnification)
