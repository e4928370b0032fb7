"""Cells and regions that people mark: lists of ids, exports of Xenium Explorer, annotations of QuPath."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import shapely.errors
import shapely.geometry

from sthelar_build.core.polygons import repair
from sthelar_build.errors import ConfigError
from sthelar_build.io.curation_targets import hint

_ID_COLUMNS = ("Cell ID", "cell_id")
_SELECTION = "Selection"
_Rows = list[dict[str, str]]


def read_cell_ids(path: Path, part: str | None = None) -> list[str]:
    """Return the ids of a list of cells, in its order: one a line, or a csv of cells from Xenium Explorer.

    The csv starts with comments (``#``) and has the column ``Cell ID``; with a column ``Selection``, ``part`` may
    name one of them. ConfigError if there are no ids.
    """
    heads, rows = _read_csv(path)
    column = next((name for name in _ID_COLUMNS if name in heads), None)
    if {"X", "Y"} <= set(heads):
        raise ConfigError(
            f"{path}: expected a list of cells, found the corners of a selection (X, Y); write region:{path.name}"
        )
    if column is None and len(heads) > 1:
        raise ConfigError(
            f"{path}: expected the column Cell ID or one id a line, found the columns {', '.join(heads)}; "
            "export the cells of the selection again"
        )
    chosen = _chosen(path, rows, part, lambda row: {row.get(_SELECTION, "")})
    found = [*([] if column or part else heads), *(row[column or heads[0]] for row in chosen)]
    ids = [cell_id for cell_id in dict.fromkeys(found) if cell_id]
    if not ids:
        raise ConfigError(f"{path}: expected ids of cells, found none; export them again")
    return ids


def read_region(path: Path, part: str | None = None) -> Any:
    """Return what is inside the outlines of a file as one valid polygon or multipolygon, x first.

    GeoJSON is in the pixels that it was drawn on (QuPath: level 0 of the image), a csv of Xenium Explorer (columns
    ``X``, ``Y``, and ``Selection`` where there are several) in um. ``part`` takes the selection, or the annotations, of
    that name or class only. ConfigError if there is no area.
    """
    read = _drawn_shapes if path.suffix.casefold() in (".geojson", ".json") else _selected_shapes
    shapes = read(path, part)
    try:
        return _area_of(shapes)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def polygon_of(text: str) -> Any:
    """Return the polygon whose corners are written as ``X,Y X,Y X,Y``; ConfigError if they enclose nothing."""
    try:
        corners = np.array([[float(x) for x in corner.split(",")] for corner in text.split()])
    except ValueError:
        corners = np.empty(0)
    if (
        corners.ndim != 2
        or corners.shape[1] != 2
        or len(corners) < 3
        or not np.isfinite(corners).all()
    ):
        raise ConfigError(
            f"expected a polygon of three corners or more, as X,Y X,Y X,Y, found {text[:60]!r}; draw it again"
        )
    return _area_of([shapely.Polygon(corners)])


def _area_of(shapes: list[Any]) -> Any:
    """Return what is inside outlines, which may cross themselves and each other."""
    if not np.isfinite(shapely.get_coordinates(shapes)).all():
        raise ConfigError("expected finite coordinates, found nan or inf; export them again")
    repaired, _ = repair(np.array(shapes, dtype=object))
    area = shapely.union_all(repaired)
    if area.is_empty:
        raise ConfigError("expected outlines with an area, found none; draw them again")
    return area


def _selected_shapes(path: Path, part: str | None) -> list[Any]:
    heads, rows = _read_csv(path)
    if not {"X", "Y"} <= set(heads):
        cells = any(name in heads for name in _ID_COLUMNS)
        remedy = f"write cells:{path.name}" if cells else "export the coordinates again"
        raise ConfigError(
            f"{path}: expected the columns X, Y, found {', '.join(heads) or 'nothing'}; {remedy}"
        )
    chosen = _chosen(path, rows, part, lambda row: {row.get(_SELECTION, "")})
    by_name: dict[str, list[tuple[float, float]]] = {}
    for row in chosen:
        by_name.setdefault(row.get(_SELECTION, ""), []).append(_corner(path, row))
    return [ring for corners in by_name.values() for ring in _rings(path, corners)]


def _corner(path: Path, row: dict[str, str]) -> tuple[float, float]:
    try:
        return float(row["X"]), float(row["Y"])
    except ValueError as error:
        raise ConfigError(
            f"{path}: expected numbers in X and Y, found {row['X']!r}, {row['Y']!r}; export the coordinates again"
        ) from error


def _rings(path: Path, corners: Sequence[tuple[float, float]]) -> Iterator[Any]:
    """Cut corners into rings: several selections of one name come one after the other, each closed."""
    ring: list[tuple[float, float]] = []
    for corner in corners:
        ring.append(corner)
        if len(ring) > 3 and corner == ring[0]:
            yield shapely.Polygon(ring)
            ring = []
    if len(ring) > 2:
        yield shapely.Polygon(ring)
    elif ring:
        raise ConfigError(
            f"{path}: expected at least three corners of an outline, found {len(ring)}; export it again"
        )


def _drawn_shapes(path: Path, part: str | None) -> list[Any]:
    features = _features(path)
    chosen = _chosen(path, features, part, _names)
    try:
        shapes = [shapely.geometry.shape(feature["geometry"]) for feature in chosen]
    except (
        shapely.errors.ShapelyError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
    ) as error:
        raise ConfigError(
            f"{path}: expected outlines, found {error}; export it again from QuPath"
        ) from error
    flat = [shape for shape in shapes if shape.geom_type not in ("Polygon", "MultiPolygon")]
    if flat:
        raise ConfigError(
            f"{path}: expected closed outlines, found {len(flat)} of kind {flat[0].geom_type}; "
            "remove them, or name the annotation to take: region:FILE#NAME"
        )
    return shapes


def _features(path: Path) -> list[dict[str, Any]]:
    """Return the features of a GeoJSON: a collection, a list (as older QuPath writes), or one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        if isinstance(content, dict):
            content = content.get("features", [content])
        whole = all({"type", "coordinates"} <= feature["geometry"].keys() for feature in content)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        whole = False
    if not whole:
        raise ConfigError(
            f"{path}: expected GeoJSON whose features have coordinates, found something else; export it again from QuPath"
        )
    return list(content)


def _names(feature: dict[str, Any]) -> set[str]:
    """Return the name and the class of an annotation; both may be missing."""
    about = feature.get("properties") or {}
    kind = about.get("classification")
    names = {about.get("name"), kind.get("name") if isinstance(kind, dict) else kind}
    return {name for name in names if isinstance(name, str)}


def _chosen(
    path: Path, rows: Sequence[Any], part: str | None, names: Callable[[Any], set[str]]
) -> list[Any]:
    """Return the rows of that name; all where no name is asked for."""
    if part is None:
        return list(rows)
    chosen = [row for row in rows if part in names(row)]
    if not chosen:
        known = sorted(set().union(*map(names, rows)) - {""})
        raise ConfigError(
            f"{path}: expected a selection of the name {part!r}, found {', '.join(known) or 'none with a name'}"
            f"{hint(part, known)}"
        )
    return chosen


def _read_csv(path: Path) -> tuple[list[str], _Rows]:
    """Return the heads and the rows of a csv, without comments and blank lines."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected text in UTF-8, found none; export it again") from error
    rows = csv.DictReader(_content(lines), restval="", skipinitialspace=True)
    heads = [name.strip() for name in rows.fieldnames or ()]
    rows.fieldnames = heads
    return heads, [{name: (row[name] or "").strip() for name in heads} for row in rows]


def _content(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if line.strip() and not line.lstrip('"').startswith("#")]
