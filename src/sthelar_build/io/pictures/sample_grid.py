"""One picture of a dataset: patches of its slides, nuclei outlined in the colour of their class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from sthelar_build.core.overlay import draw_overlay
from sthelar_build.io.atomic import published
from sthelar_build.io.images.he import HeImage
from sthelar_build.io.masks import Masks
from sthelar_build.schema.labels import PATCH_CLASSES

_COLOURS = {c.index: c.colour for c in PATCH_CLASSES}
_SHOWN_PX = 256
"""Larger patches show their middle: at full resolution outlines stay a pixel wide and can be judged."""
_GAP_PX, _TEXT_PX, _LINE_PX = 8, 15, 22
_INK, _PAPER = (27, 27, 31), (255, 255, 255)


@dataclass(frozen=True)
class SampleRow:
    """The samples of one slide."""

    title: str
    samples: Sequence[tuple[str, NDArray[np.uint8]]]
    """Caption and picture (y, x, 3) of each; all pictures of a grid are squares of one size."""


def sample_picture(
    place: pd.Series[float], patch_id: int, masks: Masks, image: HeImage
) -> NDArray[np.uint8]:
    """Draw the outlines of the nuclei of one patch on its H&E.

    ``place`` has ``x_he_px``, ``y_he_px`` and ``side_he_px``. Returns (side, side, 3), the middle of patches of more than 256 px.
    """
    pixels = image.read_area(
        float(place["x_he_px"]), float(place["y_he_px"]), float(place["side_he_px"]), masks.side_px
    )
    nuclei = masks.table_between(patch_id, patch_id + 1)
    colours = {
        int(nucleus): _COLOURS[int(index)]
        for nucleus, index in zip(nuclei["nucleus_id"], nuclei["class_index"], strict=True)
    }
    drawn = draw_overlay(pixels, masks.instances(patch_id), colours)
    start = max(0, (masks.side_px - _SHOWN_PX) // 2)
    return drawn[start : start + _SHOWN_PX, start : start + _SHOWN_PX]


def write_sample_grid(path: Path, rows: Sequence[SampleRow]) -> None:
    """Write slides below each other as PNG, with a legend of the classes; whole or not at all."""
    font = ImageFont.load_default(size=_TEXT_PX)
    side = max((len(picture) for row in rows for _, picture in row.samples), default=_SHOWN_PX)
    columns = max(3, *(len(row.samples) for row in rows)) if rows else 3
    width = _GAP_PX + columns * (side + _GAP_PX)
    height = _legend(None, font, width, 0) + sum(2 * _LINE_PX + side + _GAP_PX for _ in rows)
    sheet = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    y = _legend(draw, font, width, 0)
    for row in rows:
        draw.text((_GAP_PX, y + 2), row.title, _INK, font)
        for column, (caption, picture) in enumerate(row.samples):
            x = _GAP_PX + column * (side + _GAP_PX)
            sheet.paste(Image.fromarray(picture), (x, y + _LINE_PX))
            draw.text((x, y + _LINE_PX + side + 1), caption, _INK, font)
        y += 2 * _LINE_PX + side + _GAP_PX
    with published(path) as draft:
        sheet.save(draft, "PNG", optimize=False, compress_level=6)


def _legend(
    draw: ImageDraw.ImageDraw | None,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    width: int,
    y: int,
) -> int:
    """Draw the colours of the classes, if there is something to draw on; return where they end."""
    x = _GAP_PX
    for cell_class in PATCH_CLASSES:
        needed = _LINE_PX + int(font.getlength(cell_class.name)) + 2 * _GAP_PX
        if x > _GAP_PX and x + needed > width:
            x, y = _GAP_PX, y + _LINE_PX
        if draw:
            draw.rectangle((x, y + 6, x + _TEXT_PX - 3, y + 3 + _TEXT_PX), cell_class.colour)
            draw.text((x + _LINE_PX, y + 2), cell_class.name, _INK, font)
        x += needed
    return y + _LINE_PX + _GAP_PX
