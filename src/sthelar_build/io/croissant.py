"""A description of tables in Croissant 1.0 (MLCommons), the JSON-LD that dataset search engines read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api import types

from sthelar_build.io.atomic import published
from sthelar_build.schema.croissant import CONFORMS_TO, CONTEXT, ENCODINGS, REQUIRED

_IMAGES, _IMAGE_SET = "images.zip", "image-files"


def write_croissant(
    path: Path,
    facts: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    about: Mapping[str, str],
    keys: Mapping[str, Sequence[str]],
    downloads: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[str]:
    """Describe files that lie beside ``path``.

    Parameters
    ----------
    path
        The JSON-LD file to write.
    facts
        ``name``, ``description``, ``version``, and if known ``license``, ``url``, ``creator`` (names), ``datePublished``,
        ``citeAs``, ``keywords``. An SPDX id becomes the URL of its licence.
    tables
        What each file (csv or parquet, by file name) holds.
    about
        What each file is, in a sentence.
    keys
        The columns of each file that identify a row. Text columns that hold the key of the first table refer to it.
    downloads
        Other files, by path from the folder of ``path``: ``description``, ``bytes``, ``sha256``. The images in a zip named
        images.zip are described as a set of files with a record each.

    Returns
    -------
    The properties that Croissant 1.0 requires and the facts do not give.
    """
    known = _known(facts)
    downloads = downloads or {}
    archives = [name for name in downloads if Path(name).name == _IMAGES][:1]
    first = next(iter(tables), None)
    refers_to = f"{Path(first).stem}/{keys[first][0]}" if first else None
    record = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        **known,
        "distribution": [
            *(_file(name, about[name], file_size(path.parent / name)) for name in tables),
            *(_file(name, file["description"], file) for name, file in downloads.items()),
            *(_image_set(name) for name in archives),
        ],
        "recordSet": [
            *(
                _record_set(
                    name, table, about[name], keys[name], None if name == first else refers_to
                )
                for name, table in tables.items()
            ),
            *(_image_records(name, refers_to) for name in archives),
        ],
    }
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    with published(path) as draft:
        draft.write_text(text, encoding="utf-8")
    return [name for name in REQUIRED if name not in known]


def file_size(path: Path) -> dict[str, Any]:
    """Return ``bytes`` and the ``sha256`` of the whole file, however large."""
    with path.open("rb") as file:
        return {
            "bytes": path.stat().st_size,
            "sha256": hashlib.file_digest(file, "sha256").hexdigest(),
        }


def _known(facts: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in facts.items() if value}
    licence = known.get("license", "")
    if licence and ":" not in licence:
        known["license"] = f"https://spdx.org/licenses/{licence}.html"
    if "creator" in known:
        known["creator"] = [{"@type": "sc:Organization", "name": name} for name in known["creator"]]
    return known


def _file(name: str, about: str, size: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "description": about,
        "contentUrl": name,
        "contentSize": f"{size['bytes']} B",
        "encodingFormat": ENCODINGS.get(Path(name).suffix, "application/octet-stream"),
        "sha256": size["sha256"],
    }


def _image_set(archive: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": _IMAGE_SET,
        "name": _IMAGE_SET,
        "description": "One PNG per patch.",
        "containedIn": {"@id": archive},
        "encodingFormat": "image/png",
        "includes": "*.png",
    }


def _image_records(archive: str, refers_to: str | None) -> dict[str, Any]:
    fields = {"patch_id": ("sc:Text", "filename"), "image": ("sc:ImageObject", "content")}
    record = {
        "@type": "cr:RecordSet",
        "@id": "images",
        "name": "images",
        "description": f"The H&E of every patch in {archive}.",
        "key": [{"@id": "images/patch_id"}],
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"images/{name}",
                "name": name,
                "dataType": kind,
                "source": {"fileSet": {"@id": _IMAGE_SET}, "extract": {"fileProperty": part}},
            }
            for name, (kind, part) in fields.items()
        ],
    }
    if refers_to:
        record["field"][0]["references"] = {"field": {"@id": refers_to}}  # type: ignore[index]
    return record


def _record_set(
    file_name: str, table: pd.DataFrame, about: str, key: Sequence[str], refers_to: str | None
) -> dict[str, Any]:
    stem = Path(file_name).stem
    return {
        "@type": "cr:RecordSet",
        "@id": stem,
        "name": stem,
        "description": about,
        "key": [{"@id": f"{stem}/{column}"} for column in key],
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{stem}/{column}",
                "name": column,
                "dataType": _data_type(table[column]),
                "source": {"fileObject": {"@id": file_name}, "extract": {"column": column}},
                **(
                    {"references": {"field": {"@id": refers_to}}}
                    if refers_to and [column] == list(key)
                    else {}
                ),
            }
            for column in table.columns
        ],
    }


def _data_type(column: pd.Series[Any]) -> str:
    if types.is_bool_dtype(column):
        return "sc:Boolean"
    if types.is_integer_dtype(column):
        return "sc:Integer"
    return "sc:Float" if types.is_float_dtype(column) else "sc:Text"
