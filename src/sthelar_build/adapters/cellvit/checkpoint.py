"""Checkpoint files of CellViT: opened without running their code unless trusted, and checked."""

from __future__ import annotations

import hashlib
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sthelar_build.adapters.cellvit.architecture import Architecture, architecture_of
from sthelar_build.adapters.cellvit.checkpoint_config import (
    at,
    magnification,
    nested,
    nuclei_types,
    per_channel,
    tissue_types,
)
from sthelar_build.errors import InputError, first_line

LEGACY_START = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19"
"""How files of torch before 1.6 begin; later ones are zip archives."""


@dataclass(frozen=True)
class Checkpoint:
    """An opened checkpoint; nothing but names and shapes has been read of a memory-mapped one."""

    path: Path
    arch: str
    config: dict[str, Any]
    """Nested."""
    architecture: Architecture
    nuclei_types: dict[str, int]
    tissue_types: dict[str, int]
    magnification: int
    """20 or 40; it fixes the constants of the post-processing."""
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    mixed_precision: bool
    """Whether the network was trained under fp16 autocast."""
    sha256: str
    state_dict: dict[str, Tensor]


def open_checkpoint(path: Path | str, trusted: bool = False) -> Checkpoint:
    """Open a checkpoint.

    Parameters
    ----------
    path
        File with ``arch``, ``config`` and ``model_state_dict``; other entries are ignored.
    trusted
        Whether code in the file may be run, if it does not open without.
    """
    path = Path(path)
    content = _content(path, trusted)
    weights, arch = content.get("model_state_dict"), content.get("arch")
    if not isinstance(weights, Mapping) or not isinstance(arch, str):
        found = ", ".join(sorted(map(str, content))[:8]) or "nothing"
        raise InputError(
            f"{path}: expected a CellViT checkpoint with arch and model_state_dict, found {found}"
        )
    source = str(path)
    weights = {str(name): _float32(name, value, source) for name, value in weights.items()}
    config = nested(content.get("config") or {}, source)
    shapes = {name: tuple(value.shape) for name, value in weights.items()}
    architecture = architecture_of(arch, config, shapes, source)
    return Checkpoint(
        path=path,
        arch=arch,
        config=config,
        architecture=architecture,
        nuclei_types=nuclei_types(config, architecture.n_nuclei, source),
        tissue_types=tissue_types(config, architecture.n_tissues, source),
        magnification=magnification(config, source),
        mean=per_channel(config, "mean", source),
        std=per_channel(config, "std", source),
        mixed_precision=bool(at(config, "training", "mixed_precision")),
        sha256=_sha256(path),
        state_dict=weights,
    )


def check_parameters(checkpoint: Checkpoint, expected: Mapping[str, Tensor]) -> None:
    """InputError that names the first parameter that is missing, unexpected, or of another shape."""
    found, source = checkpoint.state_dict, f"{checkpoint.path}: {checkpoint.arch}"
    for name, wanted in expected.items():
        if name not in found:
            raise InputError(f"{source} expects {name} {list(wanted.shape)}, which the file lacks")
        if found[name].shape != wanted.shape:
            raise InputError(
                f"{source} expects {name} {list(wanted.shape)}, found {list(found[name].shape)}"
            )
    for name, value in found.items():
        if name not in expected:
            raise InputError(
                f"{source} has no parameter {name} {list(value.shape)}, which the file holds"
            )


def _content(path: Path, trusted: bool) -> Mapping[str, Any]:
    if not path.is_file():
        raise InputError(f"{path}: expected a CellViT checkpoint, found no file")
    zipped = _is_torch_archive(path)
    with path.open("rb") as file:
        legacy = file.read(len(LEGACY_START)) == LEGACY_START
    if not zipped and not legacy:
        raise InputError(
            f"{path}: expected a torch checkpoint, found another kind of file or one cut short; "
            "download it again"
        )
    content = _load(path, zipped, safely=True)
    if content is None and trusted:
        content = _load(path, zipped, safely=False)
    if content is None:
        raise InputError(
            f"{path}: opening it needs to run code from the file; "
            "if you trust its source, set segment.trust_checkpoint: true"
        )
    if not isinstance(content, Mapping):
        raise InputError(f"{path}: expected a table of weights, found {type(content).__name__}")
    return content


def _is_torch_archive(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    except zipfile.BadZipFile:
        return False


def _load(path: Path, zipped: bool, safely: bool) -> Any | None:
    """Return what the file holds; None if that takes running code and this is not allowed."""
    try:
        return torch.load(path, map_location="cpu", mmap=zipped, weights_only=safely)
    except pickle.UnpicklingError as error:
        if safely and "weights only" in str(error).lower():
            return None
        raise InputError(f"{path}: cannot be unpickled: {first_line(error)}") from error
    except (RuntimeError, OSError, EOFError, ValueError, LookupError) as error:
        raise InputError(f"{path}: the checkpoint is damaged: {first_line(error)}") from error
    except (ImportError, AttributeError, TypeError) as error:
        raise InputError(
            f"{path}: the checkpoint holds objects of code that is not installed: {first_line(error)}"
        ) from error


def _float32(name: object, value: Any, source: str) -> Tensor:
    if not isinstance(value, Tensor):
        raise InputError(f"{source}: expected a tensor for {name}, found {type(value).__name__}")
    return value.float() if value.is_floating_point() else value


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
