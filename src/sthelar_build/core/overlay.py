"""Nuclei drawn on an image as outlines."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]


def outlines(instances: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return the pixels (y, x) of instances that touch another instance or the background.

    Neighbours are the four that share an edge. The border of the map is no edge: a nucleus that it
    cuts is left open there. 0 is background and never outline.
    """
    edge: NDArray[np.bool_] = np.zeros(instances.shape, dtype=bool)
    across = instances[:, 1:] != instances[:, :-1]
    down = instances[1:] != instances[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    edge &= instances != 0
    return edge


def draw_overlay(
    image: NDArray[np.uint8], instances: NDArray[np.integer], colours: Mapping[int, Colour]
) -> NDArray[np.uint8]:
    """Return a copy of ``image`` (y, x, 3) with the outlines of ``instances`` (y, x) in their colours.

    Instances without a colour are not drawn.
    """
    drawn = image.copy()
    edge = outlines(instances) & np.isin(instances, list(colours))
    ids, place = np.unique(instances[edge], return_inverse=True)
    table = np.array([colours[int(i)] for i in ids], dtype=np.uint8).reshape(-1, 3)
    drawn[edge] = table[place]
    return drawn
