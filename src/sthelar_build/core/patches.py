"""One patch in numbers: dense instance maps, type maps, class channels."""

# mypy: allow-untyped-decorators

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


def renumbered(instances: NDArray[np.uint32], ids: NDArray[np.uint32]) -> NDArray[np.int32]:
    """Return the map with the ids of ``ids`` (ascending) as 1..n; 0 stays 0.

    ValueError unless the ids are exactly those of the map.
    """
    dense = np.empty(instances.shape, dtype=np.int32)
    seen = np.zeros(len(ids), dtype=np.bool_)
    if (
        not _renumber(np.ascontiguousarray(instances).ravel(), ids, dense.ravel(), seen)
        or not seen.all()
    ):
        raise ValueError(f"expected the ids {ids.tolist()} in the map, found others")
    return dense


@njit(nogil=True, cache=True)
def _renumber(
    instances: NDArray[np.uint32],
    ids: NDArray[np.uint32],
    dense: NDArray[np.int32],
    seen: NDArray[np.bool_],
) -> bool:
    last_id, last_number = np.uint32(0), np.int32(0)
    for pixel in range(len(instances)):
        value = instances[pixel]
        # Neighbours mostly belong to one nucleus.
        if value != last_id:
            place = np.searchsorted(ids, value) if value else -1
            if value and (place == len(ids) or ids[place] != value):
                return False
            last_id, last_number = value, np.int32(place + 1)
            if value:
                seen[place] = True
        dense[pixel] = last_number
    return True


def type_map(dense: NDArray[np.int32], class_of: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the class of every pixel; ``class_of[k - 1]`` is the class of instance k, background 0."""
    return np.take(np.append(np.uint8(0), class_of), dense)


def counters(class_of: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Count the instances of each class on their own: 1, 2, ... in their order.

    >>> counters(np.array([6, 1, 6], dtype=np.uint8))
    array([1, 1, 2], dtype=int32)
    """
    order = np.argsort(class_of, kind="stable")
    by_class = class_of[order]
    number = np.empty(len(order), dtype=np.int32)
    number[order] = np.arange(1, len(order) + 1) - np.searchsorted(by_class, by_class)
    return number


def class_channels(
    dense: NDArray[np.int32], class_of: NDArray[np.uint8], n_classes: int, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Return PanNuke's mask of a patch.

    Parameters
    ----------
    dense
        Instance map (y, x), ids 1..n.
    class_of
        Class index 1..C of every instance.
    n_classes
        C.
    dtype
        Of the result; must hold the number of instances of a class.

    Returns
    -------
    Array (y, x, C + 1): channel c - 1 counts the instances of class c from 1; the last channel is 1 where no
    nucleus is, else 0.
    """
    channels = np.zeros((*dense.shape, n_classes + 1), dtype=dtype)
    rows, columns = np.nonzero(dense)
    instance = dense[rows, columns] - 1
    channels[rows, columns, class_of[instance] - 1] = counters(class_of)[instance]
    channels[..., n_classes] = dense == 0
    return channels


def maps_of_channels(
    channels: NDArray[Any],
) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Return instance map and type map (y, x) of PanNuke's mask (y, x, C + 1) of a patch.

    Instances are numbered 1..n, class by class, if those of every class are numbered without gaps; the background
    channel is not looked at.
    """
    n_channels = channels.shape[-1]
    drawn = np.flatnonzero(channels)
    drawn = drawn[drawn % n_channels < n_channels - 1]
    pixel, channel = np.divmod(drawn, n_channels)
    own = channels.ravel()[drawn].astype(np.int64)
    n_of_class = np.zeros(n_channels, dtype=np.int64)
    np.maximum.at(n_of_class, channel, own)
    before = np.cumsum(n_of_class) - n_of_class
    instances = np.zeros(channels.shape[:2], dtype=np.int32)
    types = np.zeros(channels.shape[:2], dtype=np.uint8)
    instances.flat[pixel] = own + before[channel]
    types.flat[pixel] = channel + 1
    return instances, types


def class_counts(
    patch_row: NDArray[np.int64], class_index: NDArray[Any], n_patches: int, n_classes: int
) -> NDArray[np.uint16]:
    """Count instances: (n_patches, C); ``patch_row`` and ``class_index`` (1..C) have one entry per instance."""
    cell = patch_row * n_classes + class_index.astype(np.int64) - 1
    counts = np.bincount(cell, minlength=n_patches * n_classes)
    return counts.reshape(n_patches, n_classes).astype(np.uint16)
