"""All that CellViT's own evaluation measures on one patch."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.agreement import agreement
from sthelar_build.core.class_quality import class_quality
from sthelar_build.core.dataset_quality import PatchQuality
from sthelar_build.core.detection import Centres, detect
from sthelar_build.core.instance_entries import instance_entries
from sthelar_build.core.voted_maps import typed_instances, voted_types


class FoundNuclei(NamedTuple):
    """The nuclei of a predicted map that have an entry."""

    ids: NDArray[Any]
    """(n,) ascending."""
    type_index: NDArray[np.int64]
    """(n,)."""
    points_px: NDArray[np.float64]
    """(n, 2) x and y, in the frame of `instance_entries`: the first pixel is at (0, 0)."""


def patch_quality(
    name: tuple[str, str],
    true: tuple[NDArray[Any], NDArray[Any]],
    predicted: tuple[NDArray[Any], NDArray[Any], FoundNuclei],
    radius_px: float,
    n_types: int,
) -> PatchQuality:
    """Compare one patch.

    Parameters
    ----------
    name
        Of the patch, and its tissue.
    true
        Instances and types (y, x).
    predicted
        Instances, foreground of the network (y, x), and what is known of the instances.
    radius_px
        See `RADIUS_PX` of the detection.
    n_types
        Number of types, the background included.
    """
    true_map, true_types = true
    instances, foreground, found = predicted
    entries = instance_entries(true_map, true_types)
    counted = typed_instances(instances, found.ids, found.type_index)
    types = voted_types(instances, found.ids, found.type_index)
    return PatchQuality(
        *name,
        agreement(true_map, counted, foreground),
        class_quality(true_map, true_types, instances, types, n_types),
        detect(
            Centres(entries.centroid_px, entries.type_index),
            Centres(found.points_px, found.type_index),
            radius_px,
            n_types,
            fake_objects=True,
        ),
    )
