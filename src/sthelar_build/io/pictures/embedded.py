"""Pictures that travel inside a page, as data URIs."""

from __future__ import annotations

import base64
import io
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sthelar_build.errors import InputError

_QUALITY = 86
_CAPTIONS = {
    "overlay": "Nuclei on the H&E",
    "drift": "Measured shift, tile by tile",
    "checkerboard_1": "H&E and DAPI in turn: the best tile",
    "checkerboard_2": "H&E and DAPI in turn: a tile of the lower quartile",
    "checkerboard_3": "H&E and DAPI in turn: the median tile",
    "checkerboard_4": "H&E and DAPI in turn: a tile of the upper quartile",
    "checkerboard_5": "H&E and DAPI in turn: the worst tile",
    "class_map": "Where the classes lie",
    "umap_classes": "UMAP by class",
    "umap_clusters": "UMAP by cluster",
    "dotplot": "Markers of each class",
}
"""Captions of the pictures that stages draw, by file name, in the order in which they are shown."""


@dataclass(frozen=True)
class Picture:
    """A picture inside a page."""

    uri: str
    width_px: int
    height_px: int


def picture_of(pixels: NDArray[np.uint8]) -> Picture:
    """Embed an image (y, x, 3)."""
    return _embedded(Image.fromarray(pixels))


def picture_file(path: Path, max_side_px: int) -> Picture:
    """Embed a picture file, no larger than ``max_side_px``; InputError if it cannot be read."""
    try:
        with Image.open(path) as image:
            flat = image.convert("RGBA")
    except OSError as error:
        raise InputError(
            f"{path}: expected a picture, found none that can be read; make it again"
        ) from error
    ground = Image.new("RGBA", flat.size, "white")
    shown = Image.alpha_composite(ground, flat).convert("RGB")
    shown.thumbnail((max_side_px, max_side_px), Image.Resampling.LANCZOS)
    return _embedded(shown)


def captioned_pictures(
    folder: Path, max_side_px: int, without: Collection[str] = ()
) -> list[tuple[str, Picture]]:
    """Embed the PNG files of a folder with their captions: those that have one first, others by name.

    Files whose names (without suffix) are in ``without`` are left out.
    """
    order = {stem: place for place, stem in enumerate(_CAPTIONS)}
    paths = sorted(folder.glob("*.png"), key=lambda p: (order.get(p.stem, len(order)), p.name))
    return [
        (_CAPTIONS.get(path.stem, path.stem.replace("_", " ")), picture_file(path, max_side_px))
        for path in paths
        if path.stem not in without
    ]


def _embedded(image: Image.Image) -> Picture:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=_QUALITY, method=4)
    text = base64.b64encode(buffer.getvalue()).decode("ascii")
    return Picture(f"data:image/webp;base64,{text}", *image.size)
