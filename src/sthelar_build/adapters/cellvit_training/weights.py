"""Checkpoints in the public format, and what a new network takes over from one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sthelar_build.adapters.cellvit.architecture import Architecture
from sthelar_build.adapters.cellvit.checkpoint import Checkpoint
from sthelar_build.adapters.cellvit.network import TYPES, CellViT
from sthelar_build.io.atomic import published

logger = logging.getLogger(__name__)

_TYPE_HEADS = (f"{TYPES}.decoder0_header.2.", f"{TYPES}.weight", f"{TYPES}.bias")
_TISSUE_HEADS = ("encoder.head.", "classifier_head.")


def flat_config(architecture: Architecture, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config of a checkpoint: what rebuilds its network, and ``facts``, all keys joined by dots."""
    a = architecture
    model: dict[str, Any] = {
        "embed_dim": a.embed_dim,
        "depth": a.depth,
        "num_heads": a.heads,
        "extract_layers": list(a.skip_blocks),
        "input_channels": 3,
        "regression_loss": a.regression,
    }
    if a.sam:
        model["global_blocks"] = list(a.global_blocks)
    if a.widths is not None:
        model["decoder_widths"] = list(a.widths)
    classes = {"num_nuclei_classes": a.n_nuclei, "num_tissue_classes": a.n_tissues}
    return _flat({"model": model, "data": classes}) | _flat(facts)


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def write_checkpoint(
    path: Path,
    network: CellViT,
    config: Mapping[str, Any],
    epoch: int,
    *,
    half: bool = False,
) -> None:
    """Write a checkpoint whole or not at all; ``half`` stores the floats in 16 bits, which halves the file."""
    stored = {
        name: _stored(value.detach().cpu(), half) for name, value in network.state_dict().items()
    }
    content = {
        "arch": network.architecture.arch,
        "config": dict(config),
        "epoch": epoch,
        "model_state_dict": stored,
    }
    save_whole(path, content)


def save_whole(path: Path, content: dict[str, Any]) -> None:
    """Save what torch can load, whole or not at all."""
    # Torch says that the disk is full only where it is given an open file.
    with published(path) as draft, draft.open("xb") as file:
        torch.save(content, file)


def _stored(value: Tensor, half: bool) -> Tensor:
    """Return a tensor in memory of its own, in rows: a view would drag all it is a view of into the file."""
    kind = torch.float16 if half and value.is_floating_point() else value.dtype
    return value.to(kind).clone(memory_format=torch.contiguous_format)


def take_over(
    network: CellViT,
    start: Checkpoint,
    nuclei_types: Mapping[str, int],
    tissue_types: Mapping[str, int],
) -> list[str]:
    """Load what fits of a checkpoint into a network, in place; return the parameters that stay as they are.

    A parameter fits if it has the same name and shape. The heads of types and of tissues are taken only from a network
    with the same classes under the same numbers.
    """
    new_heads = (
        *(() if start.nuclei_types == dict(nuclei_types) else _TYPE_HEADS),
        *(() if start.tissue_types == dict(tissue_types) else _TISSUE_HEADS),
    )
    own = network.state_dict()
    fitting = {
        name: value
        for name, value in start.state_dict.items()
        if name in own and own[name].shape == value.shape and not name.startswith(new_heads)
    }
    network.load_state_dict(fitting, strict=False)
    fresh = [name for name in own if name not in fitting]
    logger.info(
        "%s: took %d of %d parameter tensors, left %d of the file%s",
        start.path,
        len(fitting),
        len(own),
        len(start.state_dict) - len(fitting),
        f"; new: {', '.join(_modules(fresh))}" if fresh else "",
    )
    return fresh


def _modules(names: list[str]) -> list[str]:
    """Return the modules that the parameters belong to, each once."""
    return list(dict.fromkeys(name.rpartition(".")[0] for name in names))
