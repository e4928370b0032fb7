"""Nuclei from a GeoJSON file, as QuPath exports it: read as a stream, and what of it is no nucleus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.drawn_nuclei import (
    DRAWN_AROUND,
    NO_NUCLEUS,
    NO_POLYGON,
    NoOutlineError,
    Ring,
    nucleus_outline,
    polygon_rings,
    shapes_of,
)
from sthelar_build.core.polygons import Geometries
from sthelar_build.errors import InputError
from sthelar_build.io.json_stream import json_elements
from sthelar_build.io.workers import batches

_AT_A_TIME = 10_000
_REMEDY = "export the nuclei from QuPath again: File > Export objects as GeoJSON"


@dataclass(frozen=True)
class DrawnNuclei:
    """Outlines as the file shows them, valid or not, in its units and its order."""

    polygons: Geometries
    """(n,) polygons and multipolygons; None where an outline has no ring with three corners."""
    source_ids: NDArray[Any]
    """(n,) text: the id of the object; None where it has none."""
    left_out: dict[str, int]
    """Number of objects that are no nuclei, by reason."""


@dataclass(frozen=True)
class _Object:
    parts: list[list[Ring]]
    source_id: str | None
    detected: bool
    reason: str | None
    """Why it is no nucleus."""


def read_drawn_nuclei(path: Path) -> DrawnNuclei:
    """Read a feature collection, or a bare list of features; ``.gz`` and ``.zip`` are opened.

    Of a cell of QuPath the nucleus is taken. Where the file has detections, its annotations are no nuclei. InputError if it is
    something else, or broken.
    """
    polygons: list[Geometries] = []
    ids: list[str | None] = []
    detected: list[bool] = []
    left_out: Counter[str] = Counter()
    for batch in batches(_objects(path), _AT_A_TIME):
        nuclei = [one for one in batch if one.reason is None]
        left_out.update(one.reason for one in batch if one.reason is not None)
        polygons.append(shapes_of([one.parts for one in nuclei]))
        ids += [one.source_id for one in nuclei]
        detected += [one.detected for one in nuclei]
    chosen = np.array(detected, dtype=np.bool_)
    if chosen.any() and not chosen.all():
        left_out[DRAWN_AROUND] = int((~chosen).sum())
    else:
        chosen[:] = True
    shapes = np.concatenate([*polygons, np.empty(0, dtype=object)])
    return DrawnNuclei(shapes[chosen], np.array(ids, dtype=object)[chosen], dict(left_out))


def check_drawn_nuclei(path: Path, at_most: int = 1000) -> None:
    """Raise InputError unless the first objects of a file can be read."""
    for _ in islice(_objects(path), at_most):
        pass


def _objects(path: Path) -> Iterator[_Object]:
    for number, element in enumerate(json_elements(path, "features", _REMEDY), start=1):
        try:
            yield _object(element)
        except NoOutlineError as error:
            raise InputError(
                f"{path}: object {number}: expected a GeoJSON feature, found {error}; {_REMEDY}"
            ) from error


def _object(element: Any) -> _Object:
    geometry, detected = nucleus_outline(element)
    name = element.get("id")
    reason = NO_NUCLEUS if detected and geometry is None else None
    if reason is None and (geometry or {}).get("type") not in ("Polygon", "MultiPolygon"):
        reason = NO_POLYGON
    return _Object(polygon_rings(geometry), None if name is None else str(name), detected, reason)
