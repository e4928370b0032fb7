"""A square of the H&E around every nucleus, read stretch by stretch: neighbours share one window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.token_features import NucleusSums
from sthelar_build.io.images.he import HeImage
from sthelar_build.io.progress import progress
from sthelar_build.io.workers import map_threads

_BAND_HE_PX = 512
_MOST_WIDTH_HE_PX = 2048
_MOST_CROPS = 128


class Crops(NamedTuple):
    """Which squares to cut."""

    nucleus_ids: NDArray[np.int64]
    """(n,)"""
    centres_he_px: NDArray[np.float64]
    """(n, 2): x, y on level 0."""
    side_he_px: float


def crop_features(
    he: HeImage,
    crops: Crops,
    side_px: int,
    features_of: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    threads: int,
) -> Iterator[NucleusSums]:
    """Yield the features of nuclei by the squares around them; what overruns the image is white.

    ``features_of`` takes RGB (n, side_px, side_px, 3), every pixel the mean of the area that it covers; several threads
    call it. Stretches are always the same, so the number of threads changes nothing.
    """
    todo = list(stretches(crops))

    def work(places: NDArray[np.int64]) -> NucleusSums:
        found = features_of(cut(he, crops, places, side_px))
        nothing = np.zeros((len(places), 0), dtype=np.int64)
        return NucleusSums(crops.nucleus_ids[places], found, np.ones(len(places)), nothing)

    yield from progress(map_threads(work, todo, threads), "stretches embedded", len(todo))


def cut(he: HeImage, crops: Crops, places: NDArray[np.int64], side_px: int) -> NDArray[np.uint8]:
    """Return the squares of some nuclei that lie close together, RGB (n, side_px, side_px, 3)."""
    corners = crops.centres_he_px[places] - crops.side_he_px / 2
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    side = crops.side_he_px
    window = he.window(left, top, right - left + side, bottom - top + side)
    return np.stack([window.area(x, y, side, side_px) for x, y in corners])


def stretches(crops: Crops) -> Iterator[NDArray[np.int64]]:
    """Yield the places of nuclei that lie close together, band of the slide by band, left to right."""
    x, y = crops.centres_he_px.T
    band = (y // _BAND_HE_PX).astype(np.int64)
    order = np.lexsort((crops.nucleus_ids, x, band))
    start = 0
    while start < len(order):
        first = order[start]
        ahead = order[start : start + _MOST_CROPS]
        together = (band[ahead] == band[first]) & (x[ahead] <= x[first] + _MOST_WIDTH_HE_PX)
        n = int(together.argmin()) if not together.all() else len(ahead)
        yield ahead[:n]
        start += n
