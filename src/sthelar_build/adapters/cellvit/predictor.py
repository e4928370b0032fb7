"""Inference with a CellViT checkpoint: images in, maps out, in batches that fit the memory."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sthelar_build.adapters.cellvit.architecture import PATCH_PX
from sthelar_build.adapters.cellvit.checkpoint import Checkpoint
from sthelar_build.adapters.cellvit.devices import (
    PRECISIONS,
    chosen_device,
    chosen_precision,
    repeatable,
)
from sthelar_build.adapters.cellvit.inference import ready_for_inference
from sthelar_build.adapters.cellvit.network import Logits, build_network
from sthelar_build.errors import InputError

CPU_BATCH_PX = 4 * 256**2
"""Pixels of a batch on a CPU: more saves nothing there."""
GPU_BATCH_PX = 256 * 256**2
"""Most pixels of a batch on a GPU: more saves nothing there."""
MEMORY_SHARE = 0.8
"""Share of the free memory of a GPU that a batch may take."""


class NetworkMaps(NamedTuple):
    """What the network says about images (b, h, w), as arrays."""

    nucleus: NDArray[np.uint8]
    """(b, h, w): 1 where a pixel is nucleus; a tie is background."""
    hv: NDArray[np.float32]
    """(b, 2, h, w): offset from the nucleus' centre, 0 = x and 1 = y, in about [-1, 1]."""
    types: NDArray[np.uint8] | None
    """(b, h, w): index of the most likely type, the lower of a tie; None if not wanted."""
    tissue: NDArray[np.float32] | None
    """(b, n_tissues) logits; None if not wanted."""
    tokens: NDArray[np.float32] | None
    """(b, embed_dim, ceil(h / 16), ceil(w / 16)); None if not wanted."""


class Predictor:
    """A checkpoint on a device.

    Parameters
    ----------
    checkpoint
        As :func:`open_checkpoint` gives it.
    device
        auto (cuda, else mps, else cpu), or any device of torch.
    precision
        fp32, bf16, fp16, or auto: see :func:`chosen_precision`. A lower precision concerns the products: norms, residual
        sums and the last layer of each map stay float32.
    want_tokens, want_types, want_tissue
        What to return; a branch that is not wanted is not run.
    side_px
        Side of the images to come, for the choice of the batch; other sides work too.
    batch_size
        Images that are run at once; None to find it from the free memory. It halves when the memory of a GPU runs out.
    merged
        Whether to merge doublings with the convolutions after them; None where it was measured to be faster, on a CPU.
    compiled
        Whether to run through ``torch.compile``, which takes minutes before the first images.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: str = "auto",
        precision: str = "auto",
        want_tokens: bool = False,
        *,
        want_types: bool = True,
        want_tissue: bool = True,
        side_px: int = 256,
        batch_size: int | None = None,
        merged: bool | None = None,
        compiled: bool = False,
    ) -> None:
        self.checkpoint = checkpoint
        self.device = chosen_device(device)
        self.precision = chosen_precision(precision, self.device, checkpoint.mixed_precision)
        self.want_tokens = want_tokens
        self.wanted = {"types": want_types, "tissue": want_tissue}
        network = ready_for_inference(
            build_network(checkpoint),
            self.device,
            PRECISIONS[self.precision],
            merged=self.device.type == "cpu" if merged is None else merged,
        )
        self.network = torch.compile(network) if compiled else network
        self._mean, self._std = (
            torch.tensor(values, dtype=torch.float32, device=self.device)
            for values in (checkpoint.mean, checkpoint.std)
        )
        self.batch_size = batch_size or self._fitting_batch(side_px)

    def __call__(self, images: NDArray[np.uint8]) -> NetworkMaps:
        """Return the maps of RGB images (b, h, w, 3), one or more; sides need not be multiples of 16."""
        parts: list[NetworkMaps] = []
        start = 0
        while start < len(images):
            batch = images[start : start + self.batch_size]
            try:
                parts.append(self._maps(batch))
            except torch.cuda.OutOfMemoryError:
                if len(batch) == 1:
                    raise
                self.batch_size = len(batch) // 2
                torch.cuda.empty_cache()
            else:
                start += len(batch)
        return NetworkMaps(*(_joined(column) for column in zip(*parts, strict=True)))

    def logits(self, images: NDArray[np.uint8]) -> Logits:
        """Return the raw outputs for one batch, on the device; sides are multiples of 16."""
        with torch.inference_mode(), repeatable(self.device):
            outputs: Logits = self.network(self.normalised(images), **self.wanted)
        return outputs

    def normalised(self, images: NDArray[np.uint8]) -> Tensor:
        """Return images (b, 3, h, w) as the network wants them; bytes are what crosses to the device."""
        pixels = torch.from_numpy(np.ascontiguousarray(images)).to(self.device)
        return ((pixels.float() / 255 - self._mean) / self._std).permute(0, 3, 1, 2)

    def _maps(self, images: NDArray[np.uint8]) -> NetworkMaps:
        rows, columns = images.shape[1:3]
        found = self.logits(_filled(images))
        if not found.hv.isfinite().all():
            raise InputError(
                f"{self.checkpoint.path}: its output at {self.precision} is not finite; "
                "set segment.precision: fp32, and if that does not help download the file again"
            )
        crop = (..., slice(rows), slice(columns))
        types = None if found.types is None else _array(found.types.argmax(1)[crop], torch.uint8)
        return NetworkMaps(
            nucleus=_array(found.binary.argmax(1)[crop], torch.uint8),
            hv=_array(found.hv[crop]),
            types=types,
            tissue=None if found.tissue is None else _array(found.tissue),
            tokens=_array(found.tokens) if self.want_tokens else None,
        )

    def _fitting_batch(self, side_px: int) -> int:
        """Return how many images fit: on CUDA by the memory that two take, elsewhere few."""
        side_px += -side_px % PATCH_PX
        if self.device.type != "cuda":
            return max(1, CPU_BATCH_PX // side_px**2)
        taken = self._bytes_of_two(side_px) / 2
        free, _ = torch.cuda.mem_get_info(self.device)
        return max(1, min(int(MEMORY_SHARE * free / taken), GPU_BATCH_PX // side_px**2))

    def _bytes_of_two(self, side_px: int) -> int:
        images = np.zeros((2, side_px, side_px, 3), np.uint8)
        torch.cuda.reset_peak_memory_stats(self.device)
        before = torch.cuda.memory_allocated(self.device)
        self.logits(images)
        taken = torch.cuda.max_memory_allocated(self.device) - before
        torch.cuda.empty_cache()
        return max(1, taken)


def _filled(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images reflected at the bottom and right to sides that are multiples of 16."""
    rows, columns = (-side % PATCH_PX for side in images.shape[1:3])
    if not rows and not columns:
        return images
    return np.pad(images, ((0, 0), (0, rows), (0, columns), (0, 0)), mode="reflect")


def _array(values: Tensor, dtype: torch.dtype = torch.float32) -> NDArray[Any]:
    return np.asarray(values.to(dtype).cpu().contiguous().numpy())


def _joined(parts: tuple[Any, ...]) -> Any:
    if parts[0] is None:
        return None
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
