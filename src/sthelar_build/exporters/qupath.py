"""QuPath: the nuclei of a slide as detections on its H&E, with class, confidence and cell, as GeoJSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import geopandas
import pandas as pd
import pyarrow.parquet as pq

from sthelar_build.errors import InputError
from sthelar_build.io.geojson import feature, geometries_json, read_features, write_features
from sthelar_build.io.progress import progress
from sthelar_build.io.slide_files import WholeSlide
from sthelar_build.schema.labels import CLASSES
from sthelar_build.settings.export_slides import ExportSlidesSettings

ON_HE = True

_NAMESPACE = uuid5(NAMESPACE_URL, "sthelar_build/qupath")
_CLASSIFICATION = {c.name: {"name": c.name, "color": list(c.colour)} for c in CLASSES}
_WORDS = ("cell_id", "label1", "label2", "label3", "cluster", "decided_by")
"""Kept as metadata of an object: texts."""
_POLYGONS = ("Polygon", "MultiPolygon")
_OPENED = 200


def write(
    slides: list[WholeSlide], out: Path, settings: ExportSlidesSettings, threads: int
) -> None:
    """Write ``{slide}.geojson``, or ``{slide}.geojson.gz`` of slides with very many nuclei; drag it onto the H&E."""
    out.mkdir()
    for slide in slides:
        n = pq.read_metadata(slide.nuclei).num_rows
        suffix = ".geojson.gz" if n > settings.qupath_gzip_nuclei else ".geojson"
        write_features(out / f"{slide.name}{suffix}", progress(_features(slide), slide.name, n))


def validate(folder: Path) -> None:
    """Raise InputError unless every object is what QuPath reads as a classified detection, each once.

    The first 200 of every file are also opened with geopandas.
    """
    for path in sorted([*folder.glob("*.geojson"), *folder.glob("*.geojson.gz")]):
        first: list[dict[str, Any]] = []
        last = 0
        for one in read_features(path):
            flaw = _flaw(one, last)
            if flaw:
                raise InputError(f"{path}: feature {one.get('id')}: found {flaw}; export it again")
            last = one["properties"]["measurements"]["nucleus_id"]
            if len(first) < _OPENED:
                first.append(one)
        if first and not geopandas.GeoDataFrame.from_features(first).geometry.notna().all():
            raise InputError(f"{path}: expected outlines that geopandas reads, found others")


def _features(slide: WholeSlide) -> Iterator[str]:
    for part in slide.nuclei_on_he():
        outlines = geometries_json(part["geometry"].to_numpy())
        for row, outline in zip(part.itertuples(index=False), outlines, strict=True):
            identifier = uuid5(_NAMESPACE, f"{slide.name}/{row.nucleus_id}")
            yield feature(str(identifier), outline, _properties(row))


def _properties(row: Any) -> dict[str, Any]:
    words = {name: getattr(row, name) for name in _WORDS}
    return {
        "objectType": "detection",
        "name": row.cell_id,
        "classification": _CLASSIFICATION[row.final_label],
        "measurements": {
            "nucleus_id": int(row.nucleus_id),
            "confidence": round(float(row.confidence), 4),
            "area_um2": round(float(row.area_um2), 3),
        },
        "metadata": {name: word for name, word in words.items() if not pd.isna(word)},
    }


def _flaw(one: dict[str, Any], last: int) -> str | None:
    properties = one["properties"]
    classification = properties["classification"]
    if one["type"] != "Feature" or str(UUID(one["id"])) != one["id"]:
        return "no feature with a UUID"
    if one["geometry"]["type"] not in _POLYGONS:
        return f"a {one['geometry']['type']} for an outline"
    if classification != _CLASSIFICATION.get(classification["name"]):
        return f"the class {classification}"
    if not all(isinstance(value, int | float) for value in properties["measurements"].values()):
        return "a measurement that is no number"
    if properties["measurements"]["nucleus_id"] <= last:
        return "a nucleus twice, or out of order"
    return None
