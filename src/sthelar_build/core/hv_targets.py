"""What a HoVer decoder learns: how far every pixel of a nucleus is from its centre, sideways and upright."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sthelar_build.core.dense_ids import dense_ids


def hv_targets(instances: NDArray[Any]) -> NDArray[np.float32]:
    """Return the horizontal and vertical distances of nuclear pixels to the centre of their nucleus.

    Parameters
    ----------
    instances
        Integer map (h, w); 0 is background, any other value an instance. Ids need be neither dense nor small.

    Returns
    -------
    Array (2, h, w), float32: 0 along x, 1 along y, within [-1, 1]; background is 0. The centre is the centre of mass of
    the instance, rounded (halves up) to a pixel, whose distance is 0. The pixels on each of the four sides are divided by the
    largest distance on their side, so that -1 and 1 are the outermost pixels; a side without pixels has no scale. An
    instance of several parts has one centre; one that a border cuts has that of its visible part.

    Notes
    -----
    The maps of HoVer-Net (Graham et al., Med Image Anal 58, 2019, section 3.2), as CellViT takes them over.
    """
    ids, dense = dense_ids(instances)
    return np.asarray(_targets(dense, len(ids) + 1))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _targets(instances: NDArray[np.int32], n: int) -> NDArray[np.float32]:
    height, width = instances.shape
    centre = np.zeros((2, n))
    area = np.zeros(n)
    for y in range(height):
        for x in range(width):
            instance = instances[y, x]
            area[instance] += 1
            centre[0, instance] += x
            centre[1, instance] += y
    for instance in range(1, n):
        for axis in range(2):
            if area[instance]:
                centre[axis, instance] = np.floor(centre[axis, instance] / area[instance] + 0.5)
    # Largest distance before (0) and after (1) the centre.
    reach = np.zeros((2, 2, n))
    for y in range(height):
        for x in range(width):
            instance = instances[y, x]
            if instance:
                for axis in range(2):
                    distance = (y if axis else x) - centre[axis, instance]
                    after = 1 if distance > 0 else 0
                    reach[axis, after, instance] = max(reach[axis, after, instance], abs(distance))
    found = np.zeros((2, height, width), dtype=np.float32)
    for y in range(height):
        for x in range(width):
            instance = instances[y, x]
            if instance:
                for axis in range(2):
                    distance = (y if axis else x) - centre[axis, instance]
                    if distance:
                        after = 1 if distance > 0 else 0
                        found[axis, y, x] = distance / reach[axis, after, instance]
    return found
