"""The Xenium bundle: what it is called, which version it is, and where its files lie.

Everything that differs between versions is resolved in the ``io.xenium*`` modules and only there, by
looking at the files: the version decides nothing that a schema can tell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from sthelar_build.errors import InputError
from sthelar_build.io.tables import read_parquet_schema

SPECIFICATION = "experiment.xenium"
CELLS = "cells.parquet"
CELL_BOUNDARIES = "cell_boundaries.parquet"
NUCLEUS_BOUNDARIES = "nucleus_boundaries.parquet"
TRANSCRIPTS = "transcripts.parquet"
FEATURE_MATRIX = "cell_feature_matrix.h5"
CELLS_ZARR = "cells.zarr.zip"
FOCUS_FOLDER = "morphology_focus"
FOCUS_FILE = "morphology_focus.ome.tif"
MIP_FILE = "morphology_mip.ome.tif"
UNASSIGNED = ("UNASSIGNED", "-1")
"""What stands for 'no cell' among the cell ids of transcripts."""

LABEL_ID = "label_id"
COLUMNS: dict[str, tuple[str, ...]] = {
    CELLS: ("cell_id", "x_centroid", "y_centroid"),
    CELL_BOUNDARIES: ("cell_id", "vertex_x", "vertex_y"),
    NUCLEUS_BOUNDARIES: ("cell_id", "vertex_x", "vertex_y"),
    TRANSCRIPTS: (
        "transcript_id",
        "cell_id",
        "overlaps_nucleus",
        "feature_name",
        "x_location",
        "y_location",
        "z_location",
        "qv",
    ),
}
"""Columns without which a table of the bundle cannot be read, by file."""

_REQUIRED_FILES = (CELLS, NUCLEUS_BOUNDARIES, TRANSCRIPTS, FEATURE_MATRIX)
_DAPI_FILES = re.compile(r"^(morphology_focus_0000|ch0000_.*)\.ome\.tif$")
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:\.\d+)?")
_PARQUET_TAIL_BYTES = 8

Layout = Literal["1.0", "1.3", "2.0", "4.0"]
"""The first version whose files lie as these do: 1.0 integer cell ids; 1.3 text ids; 2.0 a folder
of morphology images, cells with any number of nuclei; 4.0 images named after their channel."""


@dataclass(frozen=True)
class XeniumBundle:
    """One region as the instrument, or Xenium Ranger, leaves it."""

    folder: Path
    xoa_version: str
    """Version of the software that wrote the files; ``unknown`` if the bundle does not say."""
    layout: Layout
    pixel_size_um: float
    """Pixel size of the morphology image."""
    morphology: Path
    """The two-dimensional DAPI image."""
    specification: Mapping[str, Any]
    """``experiment.xenium``."""

    def path(self, name: str) -> Path:
        """Return the path of a file of the bundle."""
        return self.folder / name

    def has(self, name: str) -> bool:
        """Whether the bundle has this file."""
        return self.path(name).is_file()


def open_bundle(folder: Path) -> XeniumBundle:
    """Find the files of a bundle and check that each can be read; InputError if one cannot.

    Boundaries of cells may be missing. Parquet files must be complete and have the columns that are needed.
    """
    specification = _read_specification(folder / SPECIFICATION)
    for name in _REQUIRED_FILES:
        if not (folder / name).is_file():
            raise InputError(
                f"{folder / name}: expected this file of the Xenium bundle, found nothing; "
                "copy the bundle whole"
            )
    for name, columns in COLUMNS.items():
        if (folder / name).is_file():
            check_parquet(folder / name, columns)
    morphology = _find_morphology(folder)
    return XeniumBundle(
        folder=folder,
        xoa_version=_software_version(specification),
        layout=_layout(folder, morphology),
        pixel_size_um=_pixel_size_um(folder / SPECIFICATION, specification),
        morphology=morphology,
        specification=specification,
    )


def check_parquet(path: Path, columns: tuple[str, ...]) -> None:
    """Raise InputError if a parquet file is cut short, anywhere, or lacks one of the columns."""
    found = read_parquet_schema(path).names
    missing = [name for name in columns if name not in found]
    if missing:
        raise InputError(
            f"{path}: expected the columns {', '.join(columns)}, found no {', '.join(missing)} "
            f"among {', '.join(found)}; copy the file again from its source"
        )
    metadata = pq.read_metadata(path)
    data_bytes = path.stat().st_size - metadata.serialized_size - _PARQUET_TAIL_BYTES
    if _end_of_data(metadata) > data_bytes:
        raise InputError(
            f"{path}: expected {_end_of_data(metadata)} bytes of data, found {data_bytes}: "
            "a part is missing; copy the file again from its source"
        )


def _end_of_data(metadata: pq.FileMetaData) -> int:
    """Where the last column chunk ends, as the footer says: a hole in the file moves the footer up."""
    ends = [0]
    for row_group in range(metadata.num_row_groups):
        group = metadata.row_group(row_group)
        chunk = group.column(group.num_columns - 1)
        start = chunk.dictionary_page_offset or chunk.data_page_offset
        ends.append(start + chunk.total_compressed_size)
    return max(ends)


def _read_specification(path: Path) -> dict[str, Any]:
    try:
        specification = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise InputError(
            f"{path.parent}: expected a Xenium bundle with {SPECIFICATION}, found none; "
            "give the folder that holds it"
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: expected JSON, found something else; copy the file again from its source"
        ) from error
    if not isinstance(specification, dict):
        raise InputError(f"{path}: expected a JSON object, found {type(specification).__name__}")
    return specification


def _pixel_size_um(path: Path, specification: Mapping[str, Any]) -> float:
    found = specification.get("pixel_size")
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found < 100:
        raise InputError(
            f"{path}: expected pixel_size, in um (0.2125 on every instrument so far), found {found!r}; "
            "copy the file again from its source"
        )
    return float(found)


def _software_version(specification: Mapping[str, Any]) -> str:
    """Xenium Ranger rewrites the files in its own layout, so its version governs where it has run."""
    ranger = specification.get("xenium_ranger") or {}
    text = ranger.get("version") if isinstance(ranger, Mapping) else ranger
    found = _VERSION.search(str(text or specification.get("analysis_sw_version", "")))
    return found.group() if found else "unknown"


def _find_morphology(folder: Path) -> Path:
    focus = folder / FOCUS_FOLDER
    in_folder = (
        sorted(path for path in focus.iterdir() if _DAPI_FILES.match(path.name))
        if focus.is_dir()
        else []
    )
    candidates = [*in_folder, folder / FOCUS_FILE, folder / MIP_FILE]
    for path in candidates:
        if path.is_file():
            return path
    raise InputError(
        f"{folder}: expected the DAPI image {FOCUS_FOLDER}/morphology_focus_0000.ome.tif, "
        f"{FOCUS_FOLDER}/ch0000_dapi.ome.tif, {FOCUS_FILE} or {MIP_FILE}, found none; "
        "copy the bundle whole"
    )


def _layout(folder: Path, morphology: Path) -> Layout:
    if morphology.parent != folder:
        return "2.0" if morphology.name.startswith(FOCUS_FOLDER) else "4.0"
    id_type = read_parquet_schema(folder / CELLS).field("cell_id").type
    return "1.0" if pa.types.is_integer(id_type) else "1.3"
