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

from sthelar_build.errors import InputError
from sthelar_build.io.xenium.sources import check_columns, find_table, has_integers

SPECIFICATION = "experiment.xenium"
CELLS = "cells.parquet"
CELL_BOUNDARIES = "cell_boundaries.parquet"
NUCLEUS_BOUNDARIES = "nucleus_boundaries.parquet"
TRANSCRIPTS = "transcripts.parquet"
FEATURE_MATRIX = "cell_feature_matrix.h5"
FEATURES_AS_TEXT = "cell_feature_matrix/features.tsv.gz"
"""The features of the matrix in its other form; they alone are read of it."""
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
_OTHER_FORM = {FEATURE_MATRIX: FEATURES_AS_TEXT}
_DAPI_FILES = re.compile(r"^(morphology_focus_0000|ch0000_.*)\.ome\.tif$")
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:\.\d+)?")

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
        """Return the path of a file of the bundle; where it is there in another form alone, such as csv.gz, of that."""
        return _find(self.folder, name) or self.folder / name

    def has(self, name: str) -> bool:
        """Whether the bundle has this file, or this table in any form."""
        return self.path(name).is_file()


def open_bundle(folder: Path) -> XeniumBundle:
    """Find the files of a bundle and check that each can be read; InputError if one cannot.

    Boundaries of cells may be missing. Tables must have the columns that are needed, and parquet files be complete.
    """
    specification = _read_specification(folder / SPECIFICATION)
    for name in _REQUIRED_FILES:
        if not _find(folder, name):
            raise InputError(
                f"{folder / name}: expected this file of the Xenium bundle, found nothing; "
                "copy the bundle whole"
            )
    for name, columns in COLUMNS.items():
        if path := _find(folder, name):
            check_columns(path, columns)
    morphology = _find_morphology(folder)
    return XeniumBundle(
        folder=folder,
        xoa_version=_software_version(specification),
        layout=_layout(folder, morphology),
        pixel_size_um=_pixel_size_um(folder / SPECIFICATION, specification),
        morphology=morphology,
        specification=specification,
    )


def _find(folder: Path, name: str) -> Path | None:
    """Return the file of this name, or what stands for it; None if there is neither."""
    if name in COLUMNS:
        return find_table(folder, name)
    candidates = (folder / name, folder / _OTHER_FORM.get(name, name))
    return next((path for path in candidates if path.is_file()), None)


def _read_specification(path: Path) -> dict[str, Any]:
    try:
        specification = json.loads(path.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(
            f"{path.parent}: expected a Xenium bundle with {SPECIFICATION}, found none; "
            "give the folder that holds it"
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: expected JSON, found something else; copy the file again from its source"
        ) from error
    if not isinstance(specification, dict):
        raise InputError(
            f"{path}: expected a JSON object, found {type(specification).__name__}; copy the file again from its source"
        )
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
    cells = _find(folder, CELLS)
    return "1.0" if cells and has_integers(cells, "cell_id") else "1.3"
