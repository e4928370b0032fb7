"""Where an artefact comes from: stage, revision, settings, package versions, input checksums."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from sthelar_build.schema.labels import SCHEMA_VERSION

KEY = "sthelar"
"""The key under which parquet metadata, h5 attributes and ``uns`` hold the provenance, as JSON."""

_PACKAGES = (
    "sthelar_build",
    "numpy",
    "shapely",
    "anndata",
    "scanpy",
    "spatialdata",
    "zarr",
    "pyarrow",
)
_WHOLE_BELOW_BYTES = 256 * 2**20
_BLOCK_BYTES = 2**20
_BLOCKS = 64

Provenance = dict[str, Any]
"""A JSON object with the keys stage, revision, settings, versions, label_schema, inputs."""


def provenance(
    stage: str, settings: BaseModel | None = None, inputs: Mapping[str, Path | None] | None = None
) -> Provenance:
    """Describe an artefact that ``stage`` makes from ``inputs``; the same work gives the same JSON.

    An input that was not given (None) is not named.
    """
    values = settings.model_dump(mode="json") if settings else {}
    return {
        "stage": stage,
        "revision": values.pop("revision", 1),
        "settings": values,
        "versions": {name: version(name) for name in _PACKAGES},
        "label_schema": SCHEMA_VERSION,
        "inputs": {
            name: {"file": path.name, **checksum(path)}
            for name, path in sorted((inputs or {}).items())
            if path is not None
        },
    }


def checksum(path: Path) -> dict[str, Any]:
    """Return size and SHA-256 of a file.

    A file of 256 MiB or more is sampled: the digest covers its size and 64 evenly spaced blocks of
    1 MiB, and ``sampled`` says so. A whole-slide image is not read twice over for its checksum.
    """
    stat = path.stat()
    return _checksum(path, stat.st_size, stat.st_mtime_ns)


def checksums(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the :func:`checksum` of every file below a folder, by its path in it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): checksum(path) for path in paths}


@cache
def _checksum(path: Path, size: int, _mtime_ns: int) -> dict[str, Any]:
    with path.open("rb") as file:
        if size < _WHOLE_BELOW_BYTES:
            return {"bytes": size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
        digest = hashlib.sha256(str(size).encode())
        for block in range(_BLOCKS):
            file.seek((size - _BLOCK_BYTES) * block // (_BLOCKS - 1))
            digest.update(file.read(_BLOCK_BYTES))
    return {"bytes": size, "sha256": digest.hexdigest(), "sampled": True}


def provenance_json(source: Provenance) -> str:
    """Return the provenance as one line of JSON with sorted keys."""
    return json.dumps(source, sort_keys=True)
