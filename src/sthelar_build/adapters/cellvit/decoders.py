"""The decoders of CellViT: skips from the image and the encoder, and branches that join them on the way up."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sthelar_build.adapters.cellvit.architecture import Widths
from sthelar_build.adapters.cellvit.encoder_vit import as_weights


class ConvBlock(nn.Module):
    """3 x 3 convolution, batch norm, ReLU."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map (b, before, h, w) to (b, after, h, w)."""
        mapped: Tensor = self.block(features)
        return mapped


class UpBlock(nn.Module):
    """Transposed convolution to twice the side, 3 x 3 convolution, batch norm, ReLU."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            doubling(before, after),
            nn.Conv2d(after, after, 3, padding=1),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map (b, before, h, w) to (b, after, 2 h, 2 w)."""
        mapped: Tensor = self.block(features)
        return mapped


def doubling(before: int, after: int) -> nn.ConvTranspose2d:
    """Return the transposed convolution that doubles a side."""
    return nn.ConvTranspose2d(before, after, 2, stride=2)


def skip_decoders(embed_dim: int, widths: Widths) -> list[nn.Sequential]:
    """Return the maps of the image and of the first three encoder outputs to full, 1/2, 1/4 and 1/8 resolution."""
    w = widths
    return [
        nn.Sequential(ConvBlock(3, w.stem), ConvBlock(w.stem, w.full)),
        nn.Sequential(
            UpBlock(embed_dim, w.skip_eighth),
            UpBlock(w.skip_eighth, w.skip_quarter),
            UpBlock(w.skip_quarter, w.half),
        ),
        nn.Sequential(UpBlock(embed_dim, w.skip_eighth), UpBlock(w.skip_eighth, w.quarter)),
        nn.Sequential(UpBlock(embed_dim, w.eighth)),
    ]


class Branch(nn.Module):
    """From the deepest encoder output to full resolution, joining a skip at every step.

    ``n_out`` None leaves the last 1 x 1 convolution out: the Shared networks have one per map, outside.
    """

    def __init__(self, embed_dim: int, widths: Widths, n_out: int | None) -> None:
        super().__init__()
        w = widths
        self.bottleneck_upsampler = doubling(embed_dim, w.eighth)
        self.decoder3_upsampler = nn.Sequential(
            ConvBlock(2 * w.eighth, w.eighth),
            ConvBlock(w.eighth, w.eighth),
            ConvBlock(w.eighth, w.eighth),
            doubling(w.eighth, w.quarter),
        )
        self.decoder2_upsampler = nn.Sequential(
            ConvBlock(2 * w.quarter, w.quarter),
            ConvBlock(w.quarter, w.quarter),
            doubling(w.quarter, w.half),
        )
        self.decoder1_upsampler = nn.Sequential(
            ConvBlock(2 * w.half, w.half), ConvBlock(w.half, w.half), doubling(w.half, w.full)
        )
        self.decoder0_header = nn.Sequential(
            ConvBlock(2 * w.full, w.full), ConvBlock(w.full, w.full)
        )
        if n_out is not None:
            self.decoder0_header.append(nn.Conv2d(w.full, n_out, 1))

    @property
    def head(self) -> nn.Module:
        """The last layer."""
        return self.decoder0_header[-1]

    def forward(self, skips: list[Tensor], deepest: Tensor) -> Tensor:
        """Decode.

        Parameters
        ----------
        skips
            Outputs of the skip decoders, full resolution first.
        deepest
            Last output of the encoder (b, embed_dim, h / 16, w / 16).

        Returns
        -------
        (b, n_out, h, w) logits, or (b, full, h, w) features without a head.
        """
        full, half, quarter, eighth = skips
        up = self.bottleneck_upsampler(deepest)
        up = self.decoder3_upsampler(torch.cat([eighth, up], dim=1))
        up = self.decoder2_upsampler(torch.cat([quarter, up], dim=1))
        up = self.decoder1_upsampler(torch.cat([half, up], dim=1))
        features = torch.cat([full, up], dim=1)
        for layer in self.decoder0_header:
            features = layer(
                as_weights(features, layer) if isinstance(layer, nn.Conv2d) else features
            )
        return features
