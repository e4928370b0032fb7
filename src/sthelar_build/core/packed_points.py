"""Points of a picture in few bytes: what a page carries of every cell that it draws."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

_STEPS = 65_535


def packed_places(points: NDArray[np.floating]) -> str:
    """Pack places (points, 2) for a picture, as base64 of little-endian uint16: x0, y0, x1, y1, ...

    The longer side of what they cover becomes 0 to 65,535, the shorter one keeps its proportion and is centred. y turns
    round: it rises in the data, and falls in a picture.
    """
    if not len(points):
        return ""
    low, high = points.min(axis=0), points.max(axis=0)
    longest = max(float((high - low).max()), 1e-9)
    placed = (points - (low + high) / 2) / longest
    placed[:, 1] *= -1
    return packed(np.rint((placed + 0.5) * _STEPS).clip(0, _STEPS), "<u2")


def packed_shares(shares: NDArray[np.floating]) -> str:
    """Pack shares from 0 to 1 as base64 of uint8, 0 to 254; 255 where there is none (NaN)."""
    steps = np.rint(np.clip(shares, 0, 1) * 254)
    return packed(np.where(np.isnan(shares), 255, steps), "u1")


def packed(values: NDArray[Any], kind: str) -> str:
    """Pack numbers as base64 of a numpy type such as ``<u2``; they must fit into it."""
    return base64.b64encode(values.astype(kind).tobytes()).decode("ascii")
