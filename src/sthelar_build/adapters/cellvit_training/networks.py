"""Which network is trained: one of the published shapes, a small one of the family, or that of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from sthelar_build.adapters.cellvit.architecture import (
    SAM_ENCODERS,
    SHARED,
    VIT_256,
    Architecture,
    Widths,
)
from sthelar_build.adapters.cellvit.checkpoint import Checkpoint
from sthelar_build.adapters.cellvit.network import CellViT
from sthelar_build.adapters.cellvit_training.weights import take_over


@dataclass(frozen=True)
class NetworkChoice:
    """What the settings say of the network; the numbers concern the small one only."""

    network: str = "auto"
    """auto, small, ViT256, SAM-B, SAM-L or SAM-H."""
    embed_dim: int = 64
    depth: int = 4
    heads: int = 4
    decoder_widths: tuple[int, int, int, int, int, int, int] = (16, 16, 32, 48, 64, 48, 32)
    shared_decoder: bool = True


def new_network(
    choice: NetworkChoice,
    nuclei_types: Mapping[str, int],
    tissue_types: Mapping[str, int],
    start: Checkpoint | None,
    seed: int,
) -> CellViT:
    """Return a network for these classes, its parameters drawn from ``seed`` or taken over from ``start``."""
    architecture = _architecture(choice, start)
    architecture = replace(
        architecture, n_nuclei=len(nuclei_types), n_tissues=len(tissue_types), regression=False
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = CellViT(architecture)
    if start:
        take_over(network, start, nuclei_types, tissue_types)
    return network


def _architecture(choice: NetworkChoice, start: Checkpoint | None) -> Architecture:
    if choice.network == "auto" and start:
        return start.architecture
    suffix = SHARED if choice.shared_decoder else ""
    if choice.network in ("auto", "small"):
        return _small(choice, suffix)
    if choice.network == "ViT256":
        return Architecture("CellViT256", *VIT_256[:4])
    encoder = SAM_ENCODERS[choice.network]
    return Architecture("CellViTSAM", *encoder[:4], global_blocks=encoder.global_blocks)


def _small(choice: NetworkChoice, suffix: str) -> Architecture:
    first, second, third, last = (round(choice.depth * part / 4) for part in (1, 2, 3, 4))
    return Architecture(
        f"CellViT{suffix}",
        choice.embed_dim,
        choice.depth,
        choice.heads,
        (first, second, third, last),
        widths=Widths(*choice.decoder_widths),
    )
