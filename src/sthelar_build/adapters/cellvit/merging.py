"""Transposed convolutions merged with the 3 x 3 convolutions after them: the same map with fewer products.

Nothing but a sum stands between the two, so each of the four parities of the output is one 2 x 2 convolution of the map
before the doubling. For 128 channels to 128 that is 4 products for 10. It also saves the doubled map and its
concatenation with the skip.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from sthelar_build.adapters.cellvit.decoders import Branch, ConvBlock, UpBlock
from sthelar_build.adapters.cellvit.encoder_vit import as_weights
from sthelar_build.adapters.cellvit.network import CellViT


class MergedDoubling(nn.Module):
    """``relu(conv(cat[skip, doubling(features)]))`` without the doubled map.

    Parameters
    ----------
    doubling
        Transposed convolution 2 x 2 with stride 2.
    conv
        3 x 3 convolution with padding 1, its batch norm folded in. Its last input channels are those of ``doubling``; the
        others, if any, are a skip's.
    """

    def __init__(self, doubling: nn.ConvTranspose2d, conv: nn.Conv2d) -> None:
        super().__init__()
        assert conv.bias is not None
        assert doubling.bias is not None
        n_skip = conv.in_channels - doubling.out_channels
        kernel = conv.weight[:, n_skip:]
        self.n_out = conv.out_channels
        inside = kernel.sum((2, 3)) @ doubling.bias
        bias = conv.bias + inside
        self.merged = _convolution(
            _merged_kernel(doubling.weight, kernel), None if n_skip else bias.repeat(4)
        )
        self.skip = _convolution(conv.weight[:, :n_skip], bias) if n_skip else None
        self.register_buffer("beyond", _at_border(doubling.bias, kernel) - inside[:, None, None])

    def forward(self, features: Tensor, skip: Tensor | None = None) -> Tensor:
        """Map (b, c, h, w), and a skip (b, s, 2 h, 2 w) if the convolution takes one, to (b, n_out, 2 h, 2 w)."""
        b, _, h, w = features.shape
        parities = self.merged(features).permute(0, 2, 3, 1).unflatten(3, (2, 2, self.n_out))
        if self.skip is None:
            summed = parities.new_empty(b, 2 * h, 2 * w, self.n_out)
        else:
            summed = self.skip(skip).permute(0, 2, 3, 1)
        for row in (0, 1):
            for column in (0, 1):
                part = parities[:, row : row + h, column : column + w, row, column]
                place = summed[:, row::2, column::2]
                if self.skip is None:
                    place.copy_(part)
                else:
                    place.add_(part)
        self._correct_border(summed)
        merged: Tensor = summed.relu_().permute(0, 3, 1, 2)
        return merged

    def _correct_border(self, summed: Tensor) -> None:
        """Take out the bias of the doubling where the 3 x 3 convolution reaches beyond the image."""
        corner = cast(Tensor, self.beyond).to(summed.dtype).permute(1, 2, 0)
        summed[:, 0] += _stretched(corner[0], summed.shape[2])
        summed[:, -1] += _stretched(corner[2], summed.shape[2])
        summed[:, 1:-1, 0] += corner[1, 0]
        summed[:, 1:-1, -1] += corner[1, 2]


class MergedBranch(nn.Module):
    """A :class:`Branch` whose doublings are merged with the convolution that joins them to the skip."""

    def __init__(self, branch: Branch) -> None:
        super().__init__()
        ups = [branch.decoder3_upsampler, branch.decoder2_upsampler, branch.decoder1_upsampler]
        doublings = [branch.bottleneck_upsampler, *(up[-1] for up in ups)]
        steps = [*(cast(nn.Sequential, up[:-1]) for up in ups), branch.decoder0_header]
        self.joins = nn.ModuleList(
            MergedDoubling(cast(nn.ConvTranspose2d, doubling), _conv(cast(ConvBlock, step[0]), 0))
            for doubling, step in zip(doublings, steps, strict=True)
        )
        self.steps = nn.ModuleList(step[1:] for step in steps)
        for name, child in branch.named_children():
            if name.endswith("_skip"):
                self.add_module(name, child)

    @property
    def head(self) -> nn.Module:
        """The last layer."""
        return cast(nn.Sequential, self.steps[-1])[-1]

    def forward(self, skips: list[Tensor], deepest: Tensor) -> Tensor:
        """Decode, as :meth:`Branch.forward` does."""
        features = deepest
        for join, step, skip in zip(self.joins, self.steps, reversed(skips), strict=True):
            features = join(features, skip)
            for layer in cast(nn.Sequential, step):
                features = layer(
                    as_weights(features, layer) if isinstance(layer, nn.Conv2d) else features
                )
        return features


def merge_doublings(network: CellViT) -> CellViT:
    """Merge every transposed convolution of a folded network; outputs stay equal up to rounding."""
    for skip in network.skip_decoders():
        assert isinstance(skip, nn.Sequential)
        for place, layer in enumerate(skip):
            if isinstance(layer, UpBlock):
                skip[place] = MergedDoubling(
                    cast(nn.ConvTranspose2d, layer.block[0]), _conv(layer, 1)
                )
    for name, module in list(network.named_children()):
        if isinstance(module, Branch):
            setattr(network, name, MergedBranch(module))
    return network


def _merged_kernel(doubling: Tensor, kernel: Tensor) -> Tensor:
    """Return the 2 x 2 kernels of the four parities, (4 out, in, 2, 2).

    Output 2 i + p reads doubled places 2 i + p + d, d = -1, 0, 1, which hold source (p + d) // 2 + i, phase (p + d) % 2.
    """
    n_in, n_out = doubling.shape[0], kernel.shape[0]
    merged = torch.zeros(2, 2, n_out, n_in, 2, 2, dtype=torch.float64)
    doubling, kernel = doubling.double(), kernel.double()
    steps = [(p, d, (p + d) // 2 + 1 - p, (p + d) % 2) for p in (0, 1) for d in (-1, 0, 1)]
    for row, down, k, s in steps:
        for column, right, m, t in steps:
            product = kernel[:, :, down + 1, right + 1] @ doubling[:, :, s, t].T
            merged[row, column, :, :, k, m] += product
    return merged.flatten(0, 2).float()


def _at_border(bias: Tensor, kernel: Tensor) -> Tensor:
    """Return what a constant map gives at the corners, edges and middle of an image: (out, 3, 3)."""
    return F.conv2d(bias[None, :, None, None].expand(1, -1, 3, 3), kernel, padding=1)[0]


def _stretched(ends_and_middle: Tensor, length: int) -> Tensor:
    ends = ends_and_middle
    return torch.cat([ends[:1], ends[1:2].expand(length - 2, -1), ends[2:]])


def _conv(block: ConvBlock | UpBlock, place: int) -> nn.Conv2d:
    return cast(nn.Conv2d, block.block[place])


def _convolution(weight: Tensor, bias: Tensor | None) -> nn.Conv2d:
    n_out, n_in, side, _ = weight.shape
    conv = nn.Conv2d(n_in, n_out, side, padding=1, bias=bias is not None)
    conv.load_state_dict({"weight": weight} if bias is None else {"weight": weight, "bias": bias})
    return conv.requires_grad_(requires_grad=False)
