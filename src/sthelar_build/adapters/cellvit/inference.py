"""A trained network made ready for inference: batch norms folded away, products at the precision asked for."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from sthelar_build.adapters.cellvit.merging import merge_doublings
from sthelar_build.adapters.cellvit.network import CellViT


def ready_for_inference(
    network: CellViT, device: torch.device, dtype: torch.dtype, *, merged: bool
) -> CellViT:
    """Return a network in evaluation mode, changed in place to run fast and give the same up to rounding.

    Parameters
    ----------
    network
        As :func:`build_network` gives it; it can be neither saved nor trained afterwards.
    device, dtype
        Where it runs, and the precision of its products.
    merged
        Whether to merge transposed convolutions with the convolutions after them.
    """
    fold_norms(network)
    if merged:
        merge_doublings(network)
    reduce_precision(network.to(device), dtype)
    # the channels of a pixel side by side, as convolutions on CPUs and tensor cores want them
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def fold_norms(network: CellViT) -> CellViT:
    """Fold every batch norm into the convolution before it."""
    for module in network.modules():
        if not isinstance(module, nn.Sequential):
            continue
        for place, layer in enumerate(module):
            if isinstance(layer, nn.BatchNorm2d):
                conv = cast(nn.Conv2d, module[place - 1])
                module[place - 1] = fuse_conv_bn_eval(conv, layer)
                module[place] = nn.Identity()
    return network


def reduce_precision(network: CellViT, dtype: torch.dtype) -> CellViT:
    """Hold the weights of products at ``dtype``, except those of the last layers: near ties must not round to ties."""
    heads = set(network.heads())
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d) and module not in heads:
            module.to(dtype)
    return network
