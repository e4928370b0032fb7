"""Other views of a patch that are as true as the patch: turned, mirrored, stained otherwise, out of focus, farther away.

Labels are maps of instances and types; the distance maps are made of them afterwards, so they turn with the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray
from PIL import Image
from skimage.color import colorconv

from sthelar_build.io.cellvit_export import LabelledPatch

_BLUR_SHARE = 0.25
_TOKEN_PX = 16


@dataclass(frozen=True)
class Augmentation:
    """How far views may be from the patch; 0 turns a change off."""

    turn: bool = True
    """The eight turns and mirror images of a square."""
    stain_jitter: float = 0.15
    """Largest relative change of the amount of each stain."""
    colour_jitter: float = 0.1
    """Largest relative change of contrast, and of brightness as a share of white."""
    blur_px: float = 1.0
    """Largest standard deviation of the blur that one view in four gets."""
    zoom: float = 0.5
    """Smallest relative size of a view: 0.5 shows nuclei from full down to half size."""


def augmented(
    patch: LabelledPatch, how: Augmentation, side_px: int, rng: np.random.Generator
) -> LabelledPatch:
    """Return a view of a square patch, reduced to ``side_px``; the same generator gives the same view."""
    image, instances, types, tissue = patch
    if side_px != image.shape[0]:
        image, instances, types = (
            reduced(image, side_px),
            reduced_labels(instances, side_px),
            reduced_labels(types, side_px),
        )
    if how.turn:
        turns, mirrored = int(rng.integers(4)), bool(rng.integers(2))
        image, instances, types = (turned(a, turns, mirrored) for a in (image, instances, types))
    return LabelledPatch(recoloured(image, how, rng), instances, types, tissue)


def view_side_px(side_px: int, smallest: float, rng: np.random.Generator) -> int:
    """Return the side of a view of a patch of ``side_px``, drawn evenly on a log scale; a multiple of 16."""
    tokens = side_px / _TOKEN_PX * float(smallest ** rng.uniform())
    return _TOKEN_PX * max(1, round(tokens))


def turned(array: NDArray[Any], turns: int, mirrored: bool) -> NDArray[Any]:
    """Turn an array (y, x, ...) by so many quarters, anticlockwise on the screen, then mirror it left to right."""
    quarter = np.rot90(array, turns)
    return np.ascontiguousarray(quarter[:, ::-1] if mirrored else quarter)


def reduced(image: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    """Return an image at a smaller size, every pixel the mean of the area it covers."""
    return np.asarray(Image.fromarray(image).resize((side_px, side_px), Image.Resampling.BOX))


def reduced_labels(labels: NDArray[Any], side_px: int) -> NDArray[Any]:
    """Return labels at a smaller size, every pixel what lies beneath its centre."""
    at = ((np.arange(side_px) + 0.5) * labels.shape[0] / side_px).astype(np.intp)
    return np.asarray(labels[at[:, None], at])


def recoloured(
    image: NDArray[np.uint8], how: Augmentation, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return an image (h, w, 3) with other amounts of stain (Tellez et al. 2018), other light, less focus."""
    view = image.astype(np.float32)
    if how.stain_jitter:
        amounts = rng.uniform(1 - how.stain_jitter, 1 + how.stain_jitter, 3)
        view = _restained(view, amounts)
    if how.colour_jitter:
        contrast, light = rng.uniform(-how.colour_jitter, how.colour_jitter, 2)
        view = view * (1 + contrast) + 255 * (light / 2 - contrast / 2)
    if how.blur_px and rng.uniform() < _BLUR_SHARE:
        sigma = rng.uniform(0, how.blur_px)
        view = scipy.ndimage.gaussian_filter(view, (sigma, sigma, 0))
    return np.asarray(np.clip(view + 0.5, 0, 255), dtype=np.uint8)


def _restained(rgb: NDArray[np.float32], amounts: NDArray[np.float64]) -> NDArray[np.float32]:
    """Multiply haematoxylin, eosin and the rest (the third stain of Ruifrok and Johnston) by ``amounts``."""
    change = (colorconv.hed_from_rgb * amounts @ colorconv.rgb_from_hed).astype(np.float32)
    density = -np.log(np.maximum(rgb, 1) / 255)
    return np.asarray(255 * np.exp(-(density @ change)))
