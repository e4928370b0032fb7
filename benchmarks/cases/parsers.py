"""The parsers of files that others make, each with a good file to start from."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from sthelar_build.io.alignment import read_alignment
from sthelar_build.io.curation_targets import read_lines
from sthelar_build.io.geojson import read_features as read_geojson
from sthelar_build.io.instance_maps import open_instance_maps
from sthelar_build.io.label_map import read_label_map
from sthelar_build.io.records import read_record
from sthelar_build.io.reference import read_reference
from sthelar_build.io.selections import read_cell_ids, read_region
from sthelar_build.io.transform import read_transform
from sthelar_build.io.xenium.boundaries import read_nucleus_outlines
from sthelar_build.io.xenium.bundle import open_bundle
from sthelar_build.io.xenium.cells_zarr import nuclei_of
from sthelar_build.io.xenium.nucleus_raster import open_nucleus_raster
from sthelar_build.io.xenium.tables import read_cells, read_features, transcript_batches
from sthelar_build.settings.simulate import SimulateSettings
from sthelar_build.sheets import load_references, load_slides
from sthelar_build.stages.simulate import run as simulate

_MATRIX = b"0.5,0.1,12.5\n-0.1,0.5,7\n0,0,1\n"
_KEYPOINTS = b"fixedX,fixedY,alignmentX,alignmentY\n1,2,3,4\n10,20,30.5,4\n3,70,8,90\n"
_CELLS = b"#Selection name: A\n#Area: 1\nCell ID,Selection\naaaa-1,A\nbbbb-1,B\n"
_CORNERS = b"#Selection name: A\nSelection,X,Y\nA,1,1\nA,9,1\nA,9,9\nA,1,1\n"
_SLIDES = (
    b"slide\tpatient\ttissue\tcondition\txenium\the\talignment\treference\n"
    b"# a comment\ns0\tp\tBreast\tcancer\ta/b\tc.tif\tauto\tatlas\n"
)
_ATLASES = b"reference\tpath\tlabel_key\tlayer\tlabel_map\natlas\ta.h5ad\tcell_type\t\t\n"
_CURATION = (
    b'target\tlabel\twho\twhen\twhy\ncluster:3\tT_NK\tme\t2026-01-31\t"seen"\n'
    b"region:drawn.geojson#one\tOther\tme\t2026-01-31\twhy\n"
)
_LABELS = b"label\tclass\nT_CD8\tT_NK\nFibroblast\tFibroblast_Myofibroblast\n"
_REGION = json.dumps(
    {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"name": "one", "classification": {"name": "Tumor"}},
                "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [9, 0], [9, 9], [0, 0]]]},
            }
        ],
    }
).encode()
_LINES = (
    b'{"type":"FeatureCollection","features":[\n'
    b'{"type":"Feature","id":"a","geometry":{"type":"Point","coordinates":[1,2]},"properties":{}}\n]}\n'
)
_TRANSFORM = json.dumps(
    {
        "matrix": [[1, 0, 5], [0, 1, 7], [0, 0, 1]],
        "source": "he",
        "target": "morphology",
        "he_um_per_px": 0.2125,
        "method": "matrix",
        "he_width_px": 100,
        "he_height_px": 80,
        "pixel_size_um": 0.2125,
        "median_um": 1.5,
        "p95_um": 3.0,
        "verdict": "pass",
        "reasons": ["none"],
        "correction": {
            "left_um": 0,
            "top_um": 0,
            "step_um": 5,
            "shift_um": [[[0, 0], [0, 1], [1, 0]]] * 3,
        },
    }
).encode()


@dataclass(frozen=True)
class Parser:
    """A reader, and the name under which it is given a file."""

    file: str
    read: Callable[[Path], Any]


def _in_bundle(name: str, read: Callable[[Any], Any]) -> Callable[[Path], Any]:
    """Read a bundle of which one file is damaged."""

    def attempt(path: Path) -> None:
        bundle = path.parent / "bundle"
        if not bundle.is_dir():
            shutil.copytree(_simulated() / "xenium", bundle)
            for extra in bundle.glob("*.csv.gz"):
                extra.unlink()
        (bundle / name).unlink()
        shutil.copy(path, bundle / name)
        read(open_bundle(bundle))

    return attempt


def _nuclei(bundle: Any) -> None:
    read_nucleus_outlines(bundle, read_cells(bundle)["cell_id"].to_numpy())


def _transcripts(bundle: Any) -> None:
    for _ in transcript_batches(bundle, {}):
        pass


def _raster(path: Path) -> None:
    with open_nucleus_raster(path) as raster:
        raster.window(0, 0, 64, 64)


def _maps(path: Path) -> None:
    with open_instance_maps(path) as maps:
        for patch_id in maps.patch_ids:
            maps.read(patch_id, 8)


def _atlas(path: Path) -> None:
    with h5py.File(_simulated() / "xenium/cell_feature_matrix.h5") as file:
        names = file["matrix/features/name"].asstr()[:].tolist()
        ids = file["matrix/features/id"].asstr()[:].tolist()
    read_reference(path, "cell_type", names, ids, cells_per_label=3)


_TABLES = {
    "cells": ("cells.parquet", read_cells),
    "nuclei": ("nucleus_boundaries.parquet", _nuclei),
    "transcripts": ("transcripts.parquet", _transcripts),
    "features": ("cell_feature_matrix.h5", read_features),
    "experiment": ("experiment.xenium", lambda bundle: bundle),
}
PARSERS = {
    "matrix": Parser("a.csv", read_alignment),
    "keypoints": Parser("a.csv", read_alignment),
    "explorer_zip": Parser("a.zip", read_alignment),
    "explorer_cells": Parser("a.csv", read_cell_ids),
    "explorer_corners": Parser("a.csv", read_region),
    "region": Parser("a.geojson", read_region),
    "features_by_line": Parser("a.geojson", lambda path: list(read_geojson(path))),
    "record": Parser("a.json", lambda path: read_record(path, ["matrix"])),
    "transform": Parser("a.json", read_transform),
    "slides": Parser("a.tsv", load_slides),
    "references": Parser("a.tsv", load_references),
    "curation": Parser("a.tsv", read_lines),
    "label_map": Parser("a.tsv", read_label_map),
    "cell_store": Parser("cells.zarr.zip", lambda path: nuclei_of(path, 0.2125)),
    "nucleus_raster": Parser("cells.zarr.zip", _raster),
    "instance_maps": Parser("a.h5", _maps),
    "atlas": Parser("a.h5ad", _atlas),
    **{key: Parser(f"{key}.bin", _in_bundle(*table)) for key, table in _TABLES.items()},
}
_PLAIN = {
    "matrix": _MATRIX,
    "keypoints": _KEYPOINTS,
    "explorer_cells": _CELLS,
    "explorer_corners": _CORNERS,
    "region": _REGION,
    "features_by_line": _LINES,
    "record": _TRANSFORM,
    "transform": _TRANSFORM,
    "slides": _SLIDES,
    "references": _ATLASES,
    "curation": _CURATION,
    "label_map": _LABELS,
}


QUICK = (*_PLAIN, "explorer_zip", "instance_maps")
"""Those that need no slide."""


def seeds(names: Collection[str]) -> dict[str, bytes]:
    """Return a good file of each parser; a small slide is simulated where one is needed."""
    return {name: _PLAIN[name] if name in _PLAIN else _made(name) for name in names}


def _made(name: str) -> bytes:
    if name == "explorer_zip":
        return _zipped({"export/matrix.csv": _MATRIX, "export/keypoints.csv": _KEYPOINTS})
    if name == "instance_maps":
        return _h5_of_maps()
    if name in ("cell_store", "nucleus_raster"):
        return (_simulated() / "xenium/cells.zarr.zip").read_bytes()
    if name == "atlas":
        return (_simulated() / "reference.h5ad").read_bytes()
    return (_simulated() / "xenium" / _TABLES[name][0]).read_bytes()


def _zipped(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return content.getvalue()


def _h5_of_maps() -> bytes:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file["3_data"], file["3_indices"] = np.float32([1, 2]), np.int32([0, 5])
        file["3_indptr"], file["3_shape"] = np.int32([0, 1, 2, 2, 2, 2, 2, 2, 2]), [8, 8]
    return content.getvalue()


def _simulated() -> Path:
    """Return the raw files of a tiny slide, made once."""
    folder = Path(tempfile.gettempdir()) / "fuzzed_slide"
    if not (folder / "truth/truth.json").is_file():
        recipe = SimulateSettings(seed=1, width_um=120, height_um=120, xoa_version="2.0.0")
        simulate(out=folder, slide="fuzzed", settings=recipe)
    return folder
