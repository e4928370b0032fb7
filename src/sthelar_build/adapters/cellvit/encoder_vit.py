"""The plain vision transformer of CellViT (ViT-256): patch tokens with a class token, pre-norm blocks."""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from sthelar_build.adapters.cellvit.architecture import PATCH_PX, Architecture

NORM_EPSILON = 1e-6
TABLE_SIDE = 14
"""The position table was learnt on 224 px: 14 x 14 tokens."""


class Encoded(NamedTuple):
    """What an encoder gives to the decoders and to the tissue head."""

    skips: list[Tensor]
    """Four maps (b, embed_dim, h / 16, w / 16), the deepest last."""
    tissue: Tensor | None
    """Features or logits (b, n) of the whole image; None where not wanted."""


class PatchEmbedding(nn.Module):
    """One token per square of 16 px: a convolution with its own stride."""

    def __init__(self, embed_dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, embed_dim, PATCH_PX, PATCH_PX)

    def forward(self, images: Tensor) -> Tensor:
        """Return tokens (b, h, w, embed_dim)."""
        tokens: Tensor = self.proj(as_weights(images, self.proj))
        return tokens.permute(0, 2, 3, 1)


class ViTEncoder(nn.Module):
    """Vision transformer with a tissue head on its class token."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        width = architecture.embed_dim
        self.skip_blocks = architecture.skip_blocks
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, TABLE_SIDE**2 + 1, width))
        self.patch_embed = PatchEmbedding(width)
        self.blocks = nn.ModuleList(
            _Block(width, architecture.heads) for _ in range(architecture.depth)
        )
        self.norm = nn.LayerNorm(width, NORM_EPSILON)
        self.head = nn.Linear(width, architecture.n_tissues)
        if not self.pos_embed.is_meta:
            nn.init.trunc_normal_(self.cls_token, std=0.02)
            nn.init.trunc_normal_(self.pos_embed, std=0.02)

    def forward(self, images: Tensor, tissue: bool = True) -> Encoded:
        """Encode images (b, 3, h, w) whose sides are multiples of 16."""
        patches = self.patch_embed(images)
        rows, columns = patches.shape[1:3]
        first = self.cls_token.expand(len(images), -1, -1)
        tokens = torch.cat([first, patches.flatten(1, 2)], dim=1) + self._positions(rows, columns)
        skips = []
        for number, block in enumerate(self.blocks, start=1):
            tokens = block(tokens)
            if number in self.skip_blocks:
                skips.append(_as_map(tokens[:, 1:], rows, columns))
        logits = None
        if tissue:
            logits = self.head(as_weights(self.norm(tokens[:, 0]), self.head))
        return Encoded(skips, logits)

    def _positions(self, rows: int, columns: int) -> Tensor:
        """Return the position table for a grid of tokens.

        The published networks resample with the factor (side + 0.1) / 14 and let this factor, rather than the ratio of
        the sides, place the samples; asking for the size instead is off by half of the table's spread.
        """
        if rows == columns == TABLE_SIDE:
            return self.pos_embed
        grid = _as_map(self.pos_embed[:, 1:], TABLE_SIDE, TABLE_SIDE)
        factors = ((rows + 0.1) / TABLE_SIDE, (columns + 0.1) / TABLE_SIDE)
        resized = F.interpolate(grid, scale_factor=factors, mode="bicubic", align_corners=False)
        return torch.cat([self.pos_embed[:, :1], resized.flatten(2).mT], dim=1)


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, NORM_EPSILON)
        self.attn = _Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, NORM_EPSILON)
        self.mlp = _Perceptron(width)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.attn(self.norm1(tokens))
        summed: Tensor = tokens + self.mlp(self.norm2(tokens))
        return summed


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        joined: Tensor = self.qkv(as_weights(tokens, self.qkv))
        split = joined.reshape(*tokens.shape[:2], 3, self.heads, -1)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value)
        projected: Tensor = self.proj(mixed.transpose(1, 2).flatten(2))
        return projected


class _Perceptron(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        mapped: Tensor = self.fc2(F.gelu(self.fc1(as_weights(tokens, self.fc1))))
        return mapped


def _as_map(tokens: Tensor, rows: int, columns: int) -> Tensor:
    """Return tokens (b, rows * columns, d) as a map (b, d, rows, columns)."""
    return tokens.reshape(len(tokens), rows, columns, -1).permute(0, 3, 1, 2)


def as_weights(values: Tensor, layer: nn.Module) -> Tensor:
    """Return values in the precision of a layer's weights.

    At reduced precision only the products are reduced: the residual stream, norms and tables stay float32.
    """
    return values.to(cast(Tensor, layer.weight).dtype)
