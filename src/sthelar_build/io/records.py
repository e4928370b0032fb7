"""Small JSON artefacts: written whole, with their provenance, and read back with a check of their keys."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from sthelar_build.errors import InputError
from sthelar_build.io.atomic import published
from sthelar_build.io.provenance import Provenance

MANIFEST = "manifest.json"
"""The record that declares a folder whole."""
PROVENANCE = "provenance"


def write_record(path: Path, record: Mapping[str, Any], source: Provenance) -> None:
    """Write a JSON object, indented, provenance last. NaN is refused: missing is null."""
    text = json.dumps({**record, PROVENANCE: source}, indent=2, allow_nan=False)
    with published(path) as draft:
        draft.write_text(text + "\n", encoding="utf-8")


def read_record(path: Path, keys: Collection[str] = ()) -> dict[str, Any]:
    """Read a JSON object that must have ``keys``; InputError otherwise."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: expected a JSON file, found {_reason(path)}; make it again"
        ) from error
    missing = [key for key in keys if not isinstance(record, dict) or key not in record]
    if missing:
        raise InputError(
            f"{path}: expected the keys {', '.join(keys)}, found no {', '.join(missing)}"
        )
    return dict(record)


def _reason(path: Path) -> str:
    return "text that is not JSON" if path.is_file() else "nothing"
