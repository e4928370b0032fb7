"""The transcripts of a written Xenium bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from sthelar_build.core.polygons import Geometries
from sthelar_build.core.simulation.mosaic import Mosaic, Part
from sthelar_build.core.simulation.slide import GENE_CATEGORIES, SimulatedSlide
from sthelar_build.core.simulation.versions import Traits
from sthelar_build.io.xenium_writer.tables import cell_ids, text, write_parts

_ROWS_PER_GROUP = 50_000
_FIELD_OF_VIEW_UM = 600.0
_MOST_COLUMNS = 10_000
_TRANSCRIPT_COLUMNS = (
    "transcript_id",
    "cell_id",
    "overlaps_nucleus",
    "feature_name",
    "x_location",
    "y_location",
    "z_location",
    "qv",
    "fov_name",
    "nucleus_distance",
    "codeword_index",
    "codeword_category",
    "is_gene",
)


def write_transcripts(path: Path, mosaic: Mosaic, traits: Traits) -> None:
    """Write ``transcripts.parquet``, in several row groups; the parts of a mosaic one after the other."""
    same = [_same_everywhere(block, traits) for block in mosaic.blocks]
    parts = (
        pa.table(_transcript_columns(part, same[part.block], traits)) for part in mosaic.parts()
    )
    write_parts(path, parts, _ROWS_PER_GROUP)


def _same_everywhere(block: SimulatedSlide, traits: Traits) -> dict[str, Any]:
    """Return the columns that are the same wherever a block lies."""
    transcripts = block.transcripts
    columns: dict[str, Any] = {
        "overlaps_nucleus": transcripts["overlaps_nucleus"].to_numpy(np.uint8),
        "z_location": transcripts["z_um"].to_numpy(np.float32),
        "qv": transcripts["qv"].to_numpy(np.float32),
    }
    if traits.fields_of_view:
        x_um, y_um = (transcripts[axis].to_numpy(np.float32) for axis in ("x_um", "y_um"))
        columns["nucleus_distance"] = _nucleus_distance_um(block, x_um, y_um)
    return columns


def _of_codewords(slide: SimulatedSlide, traits: Traits) -> dict[str, Any]:
    """Return the columns that say what the molecules are."""
    codeword, features = slide.transcripts["codeword_index"].to_numpy(np.int32), slide.features
    columns: dict[str, Any] = {
        "feature_name": text(features["name"], traits).take(pa.array(codeword))
    }
    if traits.polygon_sets:
        columns["codeword_index"] = codeword
    if traits.categories:
        columns["codeword_category"] = text(features["category"], traits).take(pa.array(codeword))
        columns["is_gene"] = features["category"].isin(GENE_CATEGORIES).to_numpy()[codeword]
    return columns


def _transcript_columns(part: Part, same: dict[str, Any], traits: Traits) -> dict[str, Any]:
    transcripts = part.slide.transcripts
    x_um, y_um = (transcripts[axis].to_numpy(np.float32) for axis in ("x_um", "y_um"))
    columns: dict[str, Any] = {
        "transcript_id": transcripts["transcript_id"].to_numpy(np.uint64),
        "cell_id": cell_ids(part, transcripts["cell_row"].to_numpy(), traits),
        "x_location": x_um,
        "y_location": y_um,
        **same,
        **_of_codewords(part.slide, traits),
    }
    if traits.fields_of_view:
        columns["fov_name"] = _fields_of_view(x_um, y_um, traits)
    return {name: columns[name] for name in _TRANSCRIPT_COLUMNS if name in columns}


def _fields_of_view(
    x_um: NDArray[np.float32], y_um: NDArray[np.float32], traits: Traits
) -> pa.Array:
    """Name fields by row letter and column number; after Z come AA, AB, and so on."""
    row = np.maximum(y_um // _FIELD_OF_VIEW_UM, 0).astype(np.int64)
    column = np.maximum(x_um // _FIELD_OF_VIEW_UM, 0).astype(np.int64) + 1
    fields, which = np.unique(row * _MOST_COLUMNS + column, return_inverse=True)
    names = [f"{_letters(field // _MOST_COLUMNS)}{field % _MOST_COLUMNS}" for field in fields]
    return text(pd.Series(names, dtype=object), traits).take(pa.array(which))


def _letters(number: int) -> str:
    return ("" if number < 26 else chr(64 + number // 26)) + chr(65 + number % 26)


def _nucleus_distance_um(
    slide: SimulatedSlide, x_um: NDArray[np.float32], y_um: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the distance to the nucleus with the nearest centroid; 0 inside."""
    if slide.nuclei.empty:
        return np.zeros(len(x_um), dtype=np.float32)
    nuclei: Geometries = slide.nuclei.geometry.to_numpy()
    points = np.column_stack([x_um, y_um])
    _, nearest = cKDTree(shapely.get_coordinates(shapely.centroid(nuclei))).query(points)
    distance_um = shapely.distance(nuclei[nearest], shapely.points(points))
    return np.asarray(distance_um, dtype=np.float32)
