"""Maps as a network gives them, made from instance maps: horizontal and vertical distances, with noise."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

N_TYPES = 6


class NetworkMaps(NamedTuple):
    """What one patch looks like to the post-processing."""

    nucleus: NDArray[np.uint8]
    hv: NDArray[np.float32]
    types: NDArray[np.uint8]


def maps_of(instances: NDArray[Any], rng: np.random.Generator) -> NetworkMaps:
    """Return maps of a patch whose nuclei are known; smooth noise stands for the doubts of a network."""
    hv = np.zeros((2, *instances.shape), dtype=np.float32)
    types = np.zeros(instances.shape, dtype=np.uint8)
    for number in np.unique(instances[instances > 0]):
        rows, columns = np.nonzero(instances == number)
        for channel, places in enumerate((columns, rows)):
            offset = places - places.mean()
            hv[channel, rows, columns] = offset / max(np.abs(offset).max(), 1)
        types[rows, columns] = rng.integers(1, N_TYPES)
    hv += np.stack([_smooth(instances.shape, rng, 0.08) for _ in range(2)])
    nucleus = (instances > 0) + _smooth(instances.shape, rng, 0.35) > 0.5
    confused = rng.random(instances.shape) < 0.1
    types[confused] = rng.integers(0, N_TYPES, int(confused.sum()))
    return NetworkMaps(nucleus.astype(np.uint8), hv, types)


def _smooth(shape: tuple[int, ...], rng: np.random.Generator, spread: float) -> NDArray[np.float32]:
    noise = ndimage.gaussian_filter(rng.normal(size=shape), 2)
    return np.asarray(noise / noise.std() * spread, dtype=np.float32)
