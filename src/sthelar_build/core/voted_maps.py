"""Predicted instances by the type that they were voted: as a map of types, and as those that count."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.dense_ids import dense_ids

NO_TYPE = -1
"""Type of the pixels of an instance without an entry."""


def voted_types(
    instances: NDArray[Any], ids: NDArray[Any], type_index: NDArray[Any]
) -> NDArray[np.int16]:
    """Return the voted type of every pixel: 0 on the background, ``NO_TYPE`` on instances that are not in ``ids``.

    ``ids`` and ``type_index`` (n,) are those of `instance_entries`: ids ascending.
    """
    known, dense = dense_ids(instances)
    type_of = np.full(len(known) + 1, NO_TYPE, dtype=np.int16)
    type_of[0] = 0
    type_of[_places(known, ids)] = type_index
    return type_of[dense]


def typed_instances(
    instances: NDArray[Any], ids: NDArray[Any], type_index: NDArray[Any]
) -> NDArray[np.int64]:
    """Return the map of the instances that bPQ counts, as CellViT does: with an entry and a type other than 0."""
    known, dense = dense_ids(instances)
    id_of = np.zeros(len(known) + 1, dtype=np.int64)
    counts = np.asarray(type_index) != 0
    id_of[_places(known, ids)[counts]] = np.asarray(ids)[counts]
    return id_of[dense]


def _places(known: NDArray[np.int64], ids: NDArray[Any]) -> NDArray[np.intp]:
    missing = np.setdiff1d(ids, known)
    if len(missing):
        raise ValueError(f"expected ids of the map, found {missing[:5].tolist()}, which it lacks")
    return np.searchsorted(known, ids) + 1
