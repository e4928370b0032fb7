"""The best, median and worst patches of a slide, with the outlines of their nuclei."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sthelar_build.core.overlay import draw_overlay
from sthelar_build.core.summary import extremes
from sthelar_build.io.images.he import HeImage
from sthelar_build.io.masks import Masks
from sthelar_build.io.pictures.embedded import Picture, picture_of
from sthelar_build.schema.labels import PATCH_CLASSES

_COLOURS = {c.index: c.colour for c in PATCH_CLASSES}
_ZOOM = 2
"""Patches are enlarged, so that compression leaves the colour of one-pixel outlines."""
_BY_JACCARD = ("best", "median", "worst")
_BY_NUCLEI = ("most nuclei", "median number of nuclei", "fewest nuclei")


@dataclass(frozen=True)
class ShownPatch:
    """One patch of the gallery."""

    patch_id: int
    picture: Picture
    """With the outlines of the nuclei, in the colours of their classes."""
    plain: Picture
    """The H&E alone, not enlarged."""
    n_nuclei: int
    jaccard: float
    """NaN where it was not measured."""
    covered_fraction: float
    """NaN where it has no tissue."""
    square_he_px: tuple[float, float, float]
    """Left and top edge, and side, in level-0 px of the H&E."""


def patch_gallery(
    metrics: pd.DataFrame, patches: pd.DataFrame, masks: Masks, image: HeImage, n: int
) -> dict[str, list[ShownPatch]]:
    """Show ``n`` patches of each kind by Jaccard index; by number of nuclei where nothing was measured.

    ``metrics`` are the columns of METRICS, ``patches`` those of PATCHES indexed by ``patch_id``.
    """
    ranked, words = metrics["Jaccard"], _BY_JACCARD
    if ranked.isna().all():
        ranked, words = metrics["n_true"].astype(float).where(metrics["n_true"] > 0), _BY_NUCLEI
    chosen = extremes(ranked.to_numpy(), n)
    return {
        word: [_shown(metrics.iloc[row], patches, masks, image) for row in rows]
        for word, rows in zip(words, chosen.values(), strict=True)
    }


def _shown(measured: pd.Series, patches: pd.DataFrame, masks: Masks, image: HeImage) -> ShownPatch:
    patch_id = int(measured["patch_id"])
    x, y, side = (
        float(patches[name].loc[patch_id]) for name in ("x_he_px", "y_he_px", "side_he_px")
    )
    pixels = image.read_area(x, y, side, masks.side_px)
    nuclei = masks.table_between(patch_id, patch_id + 1)
    colours = {
        int(nucleus): _COLOURS[int(index)]
        for nucleus, index in zip(nuclei["nucleus_id"], nuclei["class_index"], strict=True)
    }
    drawn = draw_overlay(pixels, masks.instances(patch_id), colours)
    enlarged = np.repeat(np.repeat(drawn, _ZOOM, axis=0), _ZOOM, axis=1)
    return ShownPatch(
        patch_id,
        picture_of(enlarged),
        picture_of(pixels),
        len(nuclei),
        float(measured["Jaccard"]),
        float(patches["covered_fraction"].loc[patch_id]),
        (x, y, side),
    )
