"""Nuclei that overlap: what each keeps, by the rule of the masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from sthelar_build.core.polygons import Geometries, repair
from sthelar_build.core.raster import draw_order


def kept_parts(nuclei: Geometries) -> Geometries:
    """Return what each nucleus keeps where nuclei overlap: the smaller keeps it, and of equal ones the first.

    Parameters
    ----------
    nuclei
        (n,) valid polygons and multipolygons.

    Returns
    -------
    (n,) geometries that share no area; those that overlap nothing are as they were, None where nothing is left.
    """
    upper, lower = overlapping_pairs(nuclei)
    kept = np.array(nuclei, dtype=object)
    for number in _turns(lower):
        mine = lower[number]
        kept[mine] = shapely.difference(kept[mine], nuclei[upper[number]])
    touched = np.unique(lower)
    kept[touched] = repair(kept[touched])[0]
    return kept


def overlapping_pairs(nuclei: Geometries) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows (pairs,) of nuclei that share an area: the one that keeps it, and the one that does not."""
    order = draw_order(shapely.area(nuclei), np.arange(len(nuclei)))
    rank = np.empty(len(nuclei), dtype=np.int64)
    rank[order] = np.arange(len(nuclei))
    one, two = shapely.STRtree(nuclei).query(nuclei, predicate="intersects")
    above = rank[one] > rank[two]
    upper, lower = one[above], two[above]
    shared = shapely.area(shapely.intersection(nuclei[upper], nuclei[lower])) > 0
    return upper[shared], lower[shared]


def _turns(rows: NDArray[np.int64]) -> list[NDArray[Any]]:
    """Split positions such that no row comes twice in a part: the first of each, the second of each, ..."""
    order = np.argsort(rows, kind="stable")
    ranked = rows[order]
    first = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1])[: len(rows)])
    turn = np.arange(len(rows)) - np.repeat(first, np.diff(np.append(first, len(rows))))
    return [order[turn == number] for number in range(int(turn.max(initial=-1)) + 1)]
