"""Nuclei as a GeoJSON file that QuPath might have written."""

import json
from pathlib import Path

import geopandas
import shapely


def write_geojson(path: Path, outlines, um_per_unit: float = 1.0, kind: str = "detection") -> Path:
    """Write outlines (um) as objects ``n1``, ``n2``, ...; coordinates are um divided by ``um_per_unit``."""
    scaled = shapely.transform(list(outlines), lambda xy: xy / um_per_unit)
    features = [
        {
            "type": "Feature",
            "id": f"n{number}",
            "geometry": shapely.geometry.mapping(shape),
            "properties": {"objectType": kind},
        }
        for number, shape in enumerate(scaled, start=1)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def outlines_of(nuclei: Path):
    """Return the outlines of a table of nuclei."""
    return geopandas.read_parquet(nuclei).geometry.to_numpy()
