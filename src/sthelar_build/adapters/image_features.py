"""Image encoders of the ``transformers`` library (DINOv2 as Phikon-v2, ViT), from a folder on disk. Optional: needs ``transformers``.

Nothing is downloaded, no code of the folder is run, and only safetensors are opened.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from sthelar_build.errors import ConfigError, InputError

Floats = NDArray[np.float32]
Pooling = Literal["cls", "mean"]
CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"
_BATCH = {"cuda": 256}
_CPU_BATCH = 16
_KINDS = ("fp32", "bf16", "fp16")


def check_transformers() -> None:
    """Raise ConfigError unless the library is installed."""
    if find_spec("transformers") is None:
        raise ConfigError(
            "embed.models: expected the library transformers for a model of kind transformers, found none; "
            "pip install 'sthelar_build[features]', or leave the model out"
        )


class ImageEncoder:
    """A model of a folder, on a device.

    Parameters
    ----------
    folder
        Holds ``config.json``, ``preprocessor_config.json`` and the weights as safetensors, as the model's page offers them.
    device
        auto (cuda, else mps, else cpu), or one of these.
    precision
        fp32, bf16 or fp16 of the products; auto is fp16 on cuda, else fp32.
    batch_size
        Images that are run at once; None takes 256 on cuda, else 16.

    Notes
    -----
    Images are to come in the size that the model was trained on, ``side_px``. On a CPU every call runs on the thread that
    makes it, and several may run at once; on other devices they wait for one another. So the number of threads changes no
    result.
    """

    def __init__(
        self,
        folder: Path,
        device: str = "auto",
        precision: str = "auto",
        batch_size: int | None = None,
    ) -> None:
        check_transformers()
        self.folder = folder
        facts = _preprocessing(folder)
        self.side_px = _side_px(facts, folder)
        self.device = torch_device(device)
        self.precision = _precision(precision, self.device)
        self.batch_size = batch_size or _BATCH.get(self.device.type, _CPU_BATCH)
        self._scale = float(facts.get("rescale_factor") or 1 / 255)
        self._mean = self._constants(facts.get("image_mean") or [0.5] * 3)
        self._std = self._constants(facts.get("image_std") or [0.5] * 3)
        self._turn = threading.Lock() if self.device.type != "cpu" else contextlib.nullcontext()
        self.model = _model(folder).to(self.device)
        self.dim = int(self.model.config.hidden_size)
        self.grid = self.side_px // int(self.model.config.patch_size)

    def features(self, images: NDArray[np.uint8], pooling: Pooling = "cls") -> Floats:
        """Return the class token, or the mean of the others, of RGB images (n, side_px, side_px, 3): (n, dim)."""
        hidden = self._hidden(images)
        return hidden[:, 0] if pooling == "cls" else self._patch_tokens(hidden).mean(axis=1)

    def tokens(self, images: NDArray[np.uint8]) -> Floats:
        """Return the tokens of the blocks of the images: (n, dim, grid, grid)."""
        tokens = self._patch_tokens(self._hidden(images))
        return tokens.transpose(0, 2, 1).reshape(len(images), self.dim, self.grid, self.grid)

    def _patch_tokens(self, hidden: Floats) -> Floats:
        """Return the tokens of the blocks; a class token, and registers if there are any, come before them."""
        return hidden[:, -(self.grid**2) :]

    def _hidden(self, images: NDArray[np.uint8]) -> Floats:
        starts = range(0, len(images), self.batch_size)
        batches = [self._batch(images[start : start + self.batch_size]) for start in starts]
        return batches[0] if len(batches) == 1 else np.concatenate(batches)

    def _batch(self, images: NDArray[np.uint8]) -> Floats:
        with self._turn, torch.inference_mode(), self._products():
            pixels = torch.from_numpy(np.ascontiguousarray(images)).to(self.device)
            normal = (pixels.float() * self._scale - self._mean) / self._std
            hidden = self.model(pixel_values=normal.permute(0, 3, 1, 2)).last_hidden_state
            return np.asarray(hidden.float().cpu().numpy())

    def _products(self) -> Any:
        if self.precision == "fp32":
            return contextlib.nullcontext()
        dtype = torch.bfloat16 if self.precision == "bf16" else torch.float16
        return torch.autocast(self.device.type, dtype=dtype)

    def _constants(self, values: list[float]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float32, device=self.device)


@contextlib.contextmanager
def one_thread_a_call() -> Iterator[None]:
    """Keep torch to one thread inside: callers bring their own, and sums have one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def torch_device(name: str) -> torch.device:
    """Return a device that torch can use; ConfigError if it cannot."""
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    kind = next(kind for kind in there if there[kind]) if name == "auto" else name
    if not there.get(kind, False):
        raise ConfigError(
            f"embed.device: expected a device that torch can use, found {name}; set it to auto or cpu, or install a torch "
            "built for it"
        )
    return torch.device(kind)


def _precision(name: str, device: torch.device) -> str:
    if name == "auto":
        return "fp16" if device.type == "cuda" else "fp32"
    if name not in _KINDS or (name == "fp16" and device.type == "cpu"):
        raise ConfigError(
            f"embed.precision: expected fp32 or bf16 on a {device.type}, found {name!r}"
        )
    return name


def _model(folder: Path) -> Any:
    from transformers import AutoModel
    from transformers.utils import logging as chatter

    chatter.disable_progress_bar()
    try:
        model = AutoModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError) as error:
        why = " ".join(str(error).split())[:200]
        raise InputError(
            f"{folder}: expected a model that transformers can open, with safetensors, found none ({why}); "
            "download its whole folder again"
        ) from error
    return model.eval().requires_grad_(requires_grad=False)


def _preprocessing(folder: Path) -> dict[str, Any]:
    for name in (CONFIG, PREPROCESSOR):
        if not (folder / name).is_file():
            raise InputError(
                f"{folder}: expected the folder of a transformers model with {CONFIG}, {PREPROCESSOR} and safetensors, "
                f"found no {name}; download the whole folder from the model's page"
            )
    try:
        facts: dict[str, Any] = json.loads((folder / PREPROCESSOR).read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(
            f"{folder / PREPROCESSOR}: expected JSON, found something else; download it again"
        ) from error
    return facts


def _side_px(facts: dict[str, Any], folder: Path) -> int:
    """Return the side of the images that the model was trained on: cut to ``crop_size``, or brought to ``size``."""
    for key in ("crop_size", "size"):
        if key == "crop_size" and not facts.get("do_center_crop"):
            continue
        named = facts.get(key)
        side, *others = named.values() if isinstance(named, dict) and named else [named]
        if isinstance(side, int) and side > 0 and set(others) <= {side}:
            return side
    raise InputError(
        f"{folder / PREPROCESSOR}: expected the side of square images in size or crop_size, found {facts.get('size')}; "
        "correct the file"
    )
