"""The SAM image encoder: windowed and global attention with decomposed relative positions.

Written here from the published equations, since timm and segment-anything would bring torchvision for one class.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from sthelar_build.adapters.cellvit.architecture import PATCH_PX, Architecture
from sthelar_build.adapters.cellvit.encoder_vit import (
    NORM_EPSILON,
    Encoded,
    PatchEmbedding,
    as_weights,
)
from sthelar_build.errors import InputError

TABLE_SIDE = 64
"""The position table was learnt on 1024 px: 64 x 64 tokens."""
WINDOW = 14
"""Side of an attention window, in tokens."""
NECK = 256
"""Channels of the neck, which the tissue head reads."""


class SAMEncoder(nn.Module):
    """SAM's vision transformer; its neck only serves the tissue head."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        width = architecture.embed_dim
        self.skip_blocks = architecture.skip_blocks
        self.pos_embed = nn.Parameter(torch.zeros(1, TABLE_SIDE, TABLE_SIDE, width))
        self.patch_embed = PatchEmbedding(width)
        self.blocks = nn.ModuleList(
            _Block(width, architecture.heads, None if i in architecture.global_blocks else WINDOW)
            for i in range(architecture.depth)
        )
        self.neck = nn.Sequential(
            nn.Conv2d(width, NECK, 1, bias=False),
            _ChannelNorm(NECK, NORM_EPSILON),
            nn.Conv2d(NECK, NECK, 3, padding=1, bias=False),
            _ChannelNorm(NECK, NORM_EPSILON),
        )
        if not self.pos_embed.is_meta:
            nn.init.trunc_normal_(self.pos_embed, std=0.02)

    def forward(self, images: Tensor, tissue: bool = True) -> Encoded:
        """Encode images (b, 3, h, w) whose sides are multiples of 16, at most 1024 px."""
        tokens = self.patch_embed(images)
        rows, columns = tokens.shape[1:3]
        if max(rows, columns) > TABLE_SIDE:
            raise InputError(
                f"CellViT-SAM: expected images of at most {TABLE_SIDE * PATCH_PX} px a side, found "
                f"{rows * PATCH_PX} x {columns * PATCH_PX}; use smaller patches"
            )
        tokens = tokens + self.pos_embed[:, :rows, :columns]
        skips = []
        for number, block in enumerate(self.blocks, start=1):
            tokens = block(tokens)
            if number in self.skip_blocks:
                skips.append(tokens.permute(0, 3, 1, 2))
        last = tokens.permute(0, 3, 1, 2)
        return Encoded(skips, self._neck(last).mean((2, 3)) if tissue else None)

    def _neck(self, features: Tensor) -> Tensor:
        for layer in self.neck:
            features = layer(
                as_weights(features, layer) if isinstance(layer, nn.Conv2d) else features
            )
        return features


class _ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels at each pixel."""

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features.permute(0, 2, 3, 1).float()).permute(0, 3, 1, 2)


class _Block(nn.Module):
    def __init__(self, width: int, heads: int, window: int | None) -> None:
        super().__init__()
        self.window = window
        self.norm1 = nn.LayerNorm(width, NORM_EPSILON)
        self.attn = _Attention(width, heads, window or TABLE_SIDE)
        self.norm2 = nn.LayerNorm(width, NORM_EPSILON)
        self.mlp = _Perceptron(width)

    def forward(self, tokens: Tensor) -> Tensor:
        normed = self.norm1(tokens)
        tokens = tokens + (self._in_windows(normed) if self.window else self.attn(normed))
        summed: Tensor = tokens + self.mlp(self.norm2(tokens))
        return summed

    def _in_windows(self, tokens: Tensor) -> Tensor:
        """Attend within windows; the zeros that fill the last ones take part, as in the published networks."""
        rows, columns = tokens.shape[1:3]
        tokens = F.pad(tokens, (0, 0, 0, -columns % WINDOW, 0, -rows % WINDOW))
        b, tall, wide, width = tokens.shape
        cut = tokens.reshape(b, tall // WINDOW, WINDOW, wide // WINDOW, WINDOW, width)
        windows = cut.transpose(2, 3).reshape(-1, WINDOW, WINDOW, width)
        mixed: Tensor = self.attn(windows).reshape(cut.transpose(2, 3).shape)
        joined = mixed.transpose(2, 3).reshape(tokens.shape)
        return joined[:, :rows, :columns]


class _Attention(nn.Module):
    """Attention with a learnt term for the distance in rows and one for the distance in columns."""

    def __init__(self, width: int, heads: int, side: int) -> None:
        super().__init__()
        self.heads = heads
        self.rel_pos_h = nn.Parameter(torch.zeros(2 * side - 1, width // heads))
        self.rel_pos_w = nn.Parameter(torch.zeros(2 * side - 1, width // heads))
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        rows, columns = tokens.shape[1:3]
        joined: Tensor = self.qkv(as_weights(tokens, self.qkv))
        split = joined.reshape(*tokens.shape[:3], 3, self.heads, -1)
        query, key, value = split.permute(3, 0, 4, 1, 2, 5)
        by_row = torch.einsum("bnrcd,rkd->bnrck", query, _distances(self.rel_pos_h, rows, query))
        by_column = torch.einsum(
            "bnrcd,ckd->bnrck", query, _distances(self.rel_pos_w, columns, query)
        )
        mixed = _attention_with_bias(query, key, value, by_row, by_column)
        projected: Tensor = self.proj(mixed.transpose(1, 2).reshape(tokens.shape))
        return projected


def _attention_with_bias(
    query: Tensor, key: Tensor, value: Tensor, by_row: Tensor, by_column: Tensor
) -> Tensor:
    """Attend with logits plus ``by_row`` of the key's row and ``by_column`` of its column.

    Each query carries its terms as further entries, each key picks its own by ones at its row and its column. So no map of
    all pairs is ever held: at 1024 px it would be 1 GB per image.
    """
    rows, columns, width = query.shape[2:]
    scale = width**-0.5
    long_query = torch.cat([query, by_row / scale, by_column / scale], dim=-1)
    row_of = torch.eye(rows, dtype=key.dtype, device=key.device)[:, None].expand(-1, columns, -1)
    column_of = torch.eye(columns, dtype=key.dtype, device=key.device).expand(rows, -1, -1)
    places = torch.cat([row_of, column_of], dim=-1).expand(*key.shape[:2], -1, -1, -1)
    long_key = torch.cat([key, places], dim=-1)
    # the fast kernels want the three equally wide
    long_value = F.pad(value, (0, rows + columns))
    mixed = F.scaled_dot_product_attention(
        long_query.flatten(2, 3), long_key.flatten(2, 3), long_value.flatten(2, 3), scale=scale
    )
    return mixed[..., :width]


class _Perceptron(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.lin1 = nn.Linear(width, 4 * width)
        self.lin2 = nn.Linear(4 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        mapped: Tensor = self.lin2(F.gelu(self.lin1(as_weights(tokens, self.lin1))))
        return mapped


def _distances(table: Tensor, side: int, like: Tensor) -> Tensor:
    """Return, for each query and key of a side, the row of the table of their distance: (side, side, head width).

    A table learnt on another side is stretched linearly, not cropped.
    """
    wanted = 2 * side - 1
    if len(table) != wanted:
        table = F.interpolate(table.T[None], size=wanted, mode="linear")[0].T
    places = torch.arange(side, device=table.device)
    return table.to(like.dtype)[places[:, None] - places + side - 1]
