"""Patches that show much and come from all over a slide."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def fullest_patches(content: NDArray[Any], n: int) -> NDArray[np.int64]:
    """Return up to ``n`` patches with much content, spread over the grid.

    Parameters
    ----------
    content
        (rows, columns) what each patch of the grid holds, such as the number of its nuclei; patches with 0 are never taken.
    n
        Number of patches wanted.

    Returns
    -------
    Patch ids (row * columns + column), ascending. The grid is cut into squares of as many patches as there are for each
    one wanted; the fullest of every square is a candidate, and the fullest candidates are taken. Of equals the first.
    """
    ids = np.flatnonzero(content)
    if not len(ids) or not n:
        return np.empty(0, dtype=np.int64)
    side = max(1, math.isqrt(len(ids) // n))
    rows, columns = np.divmod(ids, content.shape[1])
    square = (rows // side) * content.shape[1] + columns // side
    fullest_first = ids[np.lexsort((ids, -content.ravel()[ids].astype(np.int64)))]
    square_of = dict(zip(ids.tolist(), square.tolist(), strict=True))
    _, first = np.unique([square_of[i] for i in fullest_first.tolist()], return_index=True)
    return np.sort(fullest_first[np.sort(first)[:n]])
