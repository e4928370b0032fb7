"""Where a network runs and at which precision, from what the user asked for and what the machine has."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from sthelar_build.errors import ConfigError

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def chosen_device(name: str) -> torch.device:
    """Return the device of a name; auto is cuda, else mps, else cpu. ConfigError if this machine has none such."""
    there = devices_here()
    if name == "auto":
        return torch.device(next(kind for kind, found in there.items() if found))
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(
            f"segment.device: expected auto, cuda, mps or cpu, found {name!r}"
        ) from error
    if not there.get(device.type, False):
        raise ConfigError(
            f"segment.device: expected a device that torch can use for {name}, found none; "
            "set it to auto or cpu, or install a torch built for it"
        )
    return device


def devices_here() -> dict[str, bool]:
    """Return whether this machine has each kind of device, the preferred first."""
    return {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }


def chosen_precision(name: str, device: torch.device, trained_in_fp16: bool) -> str:
    """Return fp32, bf16 or fp16; auto is fp16 on a GPU of CUDA for a network that was trained so, else fp32.

    The published networks run the same way. bf16 is on request only: it is faster, and shifts the border of a nucleus by a
    pixel here and there.
    """
    if name == "auto":
        return "fp16" if trained_in_fp16 and device.type == "cuda" else "fp32"
    if name not in PRECISIONS:
        known = ", ".join(["auto", *PRECISIONS])
        raise ConfigError(f"segment.precision: expected one of {known}, found {name!r}")
    if name == "fp16" and device.type == "cpu":
        raise ConfigError("segment.precision: expected fp32 or bf16 on a cpu, found fp16")
    return name


@contextlib.contextmanager
def repeatable(device: torch.device) -> Iterator[None]:
    """On a GPU: the same sums every time, and a float32 that is not rounded to TF32."""
    if device.type != "cuda":
        yield
        return
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    ):
        yield
