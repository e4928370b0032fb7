"""Nuclei that come from elsewhere than the bundle: made valid, checked, and given ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from sthelar_build.core.cell_ids import cell_id_strings
from sthelar_build.core.nucleus_overlaps import kept_parts
from sthelar_build.core.polygons import Geometries, repair

EMPTY, OUTSIDE = "without area", "outside the image"
SMALL, LARGE, HIDDEN = "too small", "too large", "covered by smaller ones"
_LEAST_SHOWN = 0.5
"""A nucleus that keeps a smaller share of its area where nuclei overlap is taken for another outline of these."""
_SUFFIX = 1


@dataclass(frozen=True)
class NewNuclei:
    """What is left of outlines."""

    table: pd.DataFrame
    """Columns of ``schema.tables.RESEGMENTED``."""
    left_out: dict[str, int]
    """Number of outlines that are no nuclei, by reason; only reasons that occur."""


def new_nuclei(
    polygons_um: Geometries,
    source_ids: NDArray[Any],
    size_um: tuple[float, float],
    area_um2: tuple[float, float],
) -> NewNuclei:
    """Return the nuclei among outlines, in their order, each the nucleus of a new cell.

    Parameters
    ----------
    polygons_um
        (n,) polygons and multipolygons in um, valid or not; None for nothing.
    source_ids
        (n,) text: what each is called where it comes from; None where it has no name.
    size_um
        Width and height of the image; a nucleus has its centroid in it.
    area_um2
        The smallest and the largest area of a nucleus.

    Returns
    -------
    Outlines stay as they are drawn, overlaps and all; but of outlines of the same place, such as duplicates, those go that
    would keep less than half of their area (the smaller keeps what two share).
    """
    shapes, repaired = repair(polygons_um)
    reason = np.full(len(shapes), None, dtype=object)
    area = shapely.area(shapes)
    x_um, y_um = shapely.get_coordinates(_centroids(shapes)).T
    outside = (x_um < 0) | (y_um < 0) | (x_um > size_um[0]) | (y_um > size_um[1])
    for name, flaw in (
        (LARGE, area > area_um2[1]),
        (SMALL, area < area_um2[0]),
        (OUTSIDE, outside),
        (EMPTY, shapely.is_missing(shapes)),
    ):
        reason[flaw] = name
    good = np.flatnonzero(reason == None)  # noqa: E711
    shown = np.nan_to_num(shapely.area(kept_parts(shapes[good])))
    reason[good[shown < _LEAST_SHOWN * area[good]]] = HIDDEN
    kept = reason == None  # noqa: E711
    names, numbers = np.unique(reason[~kept].astype(str), return_counts=True)
    return NewNuclei(
        _table(shapes[kept], source_ids[kept], repaired[kept]),
        dict(zip(names.tolist(), numbers.tolist(), strict=True)),
    )


def _centroids(shapes: Geometries) -> Geometries:
    """Return the centroids, the origin for None: then every shape has one point."""
    centroids = shapely.centroid(shapes)
    centroids[shapely.is_missing(shapes)] = shapely.Point(0, 0)
    return np.asarray(centroids)


def _table(
    shapes: Geometries, source_ids: NDArray[Any], repaired: NDArray[np.bool_]
) -> pd.DataFrame:
    number = np.arange(1, len(shapes) + 1, dtype=np.uint32)
    return pd.DataFrame(
        {
            "nucleus_id": number,
            "cell_id": cell_id_strings(number, np.full(len(number), _SUFFIX)),
            "source_id": source_ids,
            "area_um2": shapely.area(shapes),
            "repaired": repaired,
            "geometry": shapes,
        }
    )
